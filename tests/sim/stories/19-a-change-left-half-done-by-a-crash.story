# The leader crashes with a change of members on its disk alone: whoever leads next goes on without it, and the old leader
# does, too, when it is back (camunda 60086).
cluster A B C +D
        start A B C D
        | 0.000 A starts
        | 0.000 B starts
        | 0.000 C starts
        | 0.000 D starts
3s      expect leader A
        | 1.000 A asks who would vote for it in term 1
        | 1.002 A asks for votes in term 1
        | 1.003 A votes for itself in term 1
        | 1.004 B hears of term 1
        | 1.004 C hears of term 1
        | 1.005 B votes for A in term 1
        | 1.005 C votes for A in term 1
        | 1.006 A leads term 1
        | 1.009 A its lease begins
        | 1.009 A has committed the no-op of term 1
        drop APPEND A > B
        drop APPEND A > C
        add D at A
        | 3.000 A has the membership in its log
        | 3.000 A counts the members A B C +D
        expect members A A B C +D
+10ms   crash A keeping
        | 3.001 D hears of term 1
        | 3.001 A has the membership in its file
        | 3.004 D has the membership in its log
        | 3.004 D counts the members A B C +D
        | 3.005 D has the membership in its file
        | 3.010 A is down
        heal
        expect leader B within 1.5s
        | 3.806 A its lease ends
        | 3.907 B asks who would vote for it in term 2
        | 3.909 B asks for votes in term 2
        | 3.910 B votes for itself in term 2
        | 3.911 C hears of term 2
        | 3.912 C votes for B in term 2
        | 3.913 B leads term 2
        | 3.916 B its lease begins
        | 3.916 B has committed the no-op of term 2
        expect members B A B C
        start A
        | 3.916 A starts again, in term 1
        expect members A A B C +D     # it stands in its log
        expect members A A B C within 1.5s
        | 4.014 A hears of term 2
        | 4.017 A drops the membership from its log
        | 4.017 A counts the members A B C
        expect leader B for 2s
        | 4.018 A drops the membership from its file
        add D at B                    # and the next one can be made
        | 6.017 B has the membership in its log
        | 6.017 B counts the members A B C +D
        expect members A A B C +D within 200ms
        | 6.018 A has the membership in its log
        | 6.018 A counts the members A B C +D
