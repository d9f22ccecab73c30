# A change of members that is truncated away gives way to the one before, though that one's entry is in the log no more
# (canonical/raft 323).
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
        add D at A
        | 3.000 A has the membership in its log
        | 3.000 A counts the members A B C +D
+50ms   expect members A A B C +D
        | 3.001 B has the membership in its log
        | 3.001 B counts the members A B C +D
        | 3.001 C has the membership in its log
        | 3.001 C counts the members A B C +D
        | 3.001 D hears of term 1
        | 3.001 A has the membership in its file
        | 3.002 B has the membership in its file
        | 3.002 C has the membership in its file
        | 3.003 A commits the membership
        | 3.004 B commits the membership
        | 3.004 C commits the membership
        | 3.004 D has the membership in its log
        | 3.004 D counts the members A B C +D
        | 3.004 D commits the membership
        | 3.005 D has the membership in its file
        compact A
        | 3.050 A its log begins after 2
        compact B
        | 3.050 B its log begins after 2
        expect log-start A 2
        cut A | B C D
        promote D at A                # counts for A, reaches nobody
        | 3.050 A has the membership in its log
        | 3.050 A counts the members A B C D
        expect members A A B C D
        expect leader B within 2s
        | 3.051 A has the membership in its file
        | 3.906 A its lease ends
        | 4.006 A leads no more; term 1
        | 4.007 B asks who would vote for it in term 2
        | 4.009 B asks for votes in term 2
        | 4.010 B votes for itself in term 2
        | 4.011 C hears of term 2
        | 4.012 C votes for B in term 2
        | 4.013 B leads term 2
        | 4.014 D hears of term 2
        | 4.016 B its lease begins
        | 4.016 B has committed the no-op of term 2
        expect members B A B C +D
        heal
        expect role A follower within 500ms
        expect members A A B C +D within 200ms
        | 4.114 A hears of term 2
        | 4.117 A drops the membership from its log
        | 4.117 A counts the members A B C +D
+10ms   crash A
        | 4.118 A drops the membership from its file
        | 4.127 A is down
        start A
        | 4.127 A starts again, in term 2
        | 4.127 A its log begins after 2
        expect members A A B C +D
        expect leader B for 3s
        promote D at B
        | 7.127 B has the membership in its log
        | 7.127 B counts the members A B C D
        expect members A A B C D within 200ms
        | 7.128 A has the membership in its log
        | 7.128 A counts the members A B C D
