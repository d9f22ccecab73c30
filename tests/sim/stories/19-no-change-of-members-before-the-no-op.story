# A new leader changes no members before the no-op of its term is committed, though it hears everybody (Raft's correction of
# 2015; copycat 23).
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
        propose A x                   # A alone has it, and so must lead again
        | 3.000 A has x in its log
        campaign-delay B 4s
        campaign-delay C 4s
+10ms   crash A keeping
        | 3.001 A has x in its file
        | 3.010 A is down
        heal
        start A
        | 3.010 A starts again, in term 1
        expect role A leader within 2s
        | 3.806 A its lease ends
        | 4.010 A asks who would vote for it in term 2
        | 4.012 A asks for votes in term 2
        | 4.013 A votes for itself in term 2
        | 4.014 B hears of term 2
        | 4.014 C hears of term 2
        | 4.015 B votes for A in term 2
        | 4.015 C votes for A in term 2
        | 4.016 A leads term 2
        disk B 300ms
        disk C 300ms
+20ms   add D at A refused busy       # both have answered: that they lack x, and that takes a while on their disks
        | 4.019 B has x in its log
        | 4.019 C has x in its log
        expect leader A within 700ms
        | 4.319 B has x in its file
        | 4.319 C has x in its file
        | 4.320 A its lease begins
        | 4.320 A commits x
        | 4.320 A has committed the no-op of term 2
        add D at A
        | 4.320 A has the membership in its log
        | 4.320 A counts the members A B C +D
        remove C at A refused busy    # one at a time
        expect members C A B C +D within 50ms
        | 4.321 B commits x
        | 4.321 B has the membership in its log
        | 4.321 B counts the members A B C +D
        | 4.321 D hears of term 2
        | 4.321 A has the membership in its file
        | 4.321 C has the membership in its log
        | 4.321 C counts the members A B C +D
        | 4.321 C commits x
        promote D at A refused busy   # it has not caught up yet
+700ms  promote D at A
        | 4.324 D has x the membership in its log
        | 4.324 D counts the members A B C +D
        | 4.324 D commits x
        | 4.325 D has x the membership in its file
        | 4.621 B has the membership in its file
        | 4.621 C has the membership in its file
        | 4.622 A commits the membership
        | 4.623 B commits the membership
        | 4.623 D commits the membership
        | 4.623 C commits the membership
        | 5.021 A has the membership in its log
        | 5.021 A counts the members A B C D
        expect members D A B C D within 200ms
        | 5.022 B has the membership in its log
        | 5.022 B counts the members A B C D
        | 5.022 C has the membership in its log
        | 5.022 C counts the members A B C D
        | 5.022 D has the membership in its log
        | 5.022 D counts the members A B C D
        remove D at B refused not-leader
+700ms  remove D at A
        | 5.022 A has the membership in its file
        | 5.023 D has the membership in its file
        | 5.322 B has the membership in its file
        | 5.322 C has the membership in its file
        | 5.323 A commits the membership
        | 5.324 B commits the membership
        | 5.324 D commits the membership
        | 5.324 C commits the membership
        | 5.722 A has the membership in its log
        | 5.722 A counts the members A B C
        expect members A A B C within 50ms
