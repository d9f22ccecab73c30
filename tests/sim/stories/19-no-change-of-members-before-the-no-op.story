# A new leader changes no members before the no-op of its term is committed (Raft's correction of 2015; copycat 23).
cluster A B C +D
        start A B C D
        | 0.000 A starts
        | 0.000 B starts
        | 0.000 C starts
        | 0.000 D starts
        expect role A leader within 2s
        | 1.000 A asks who would vote for it in term 1
        | 1.002 A asks for votes in term 1
        | 1.003 A votes for itself in term 1
        | 1.004 B hears of term 1
        | 1.004 C hears of term 1
        | 1.005 B votes for A in term 1
        | 1.005 C votes for A in term 1
        | 1.006 A leads term 1
        add D at A refused busy
        expect leader A within 10ms
        | 1.009 A its lease begins
        | 1.009 A has committed the no-op of term 1
        add D at A
        | 1.009 A has the membership in its log
        | 1.009 A counts the members A B C +D
        remove C at A refused busy    # one at a time
        expect members C A B C +D within 50ms
        | 1.010 B has the membership in its log
        | 1.010 B counts the members A B C +D
        | 1.010 C has the membership in its log
        | 1.010 C counts the members A B C +D
        promote D at A refused busy   # it has not caught up yet
+200ms  promote D at A
        | 1.010 D hears of term 1
        | 1.010 A has the membership in its file
        | 1.011 B has the membership in its file
        | 1.011 C has the membership in its file
        | 1.012 A commits the membership
        | 1.013 B commits the membership
        | 1.013 C commits the membership
        | 1.013 D has the membership in its log
        | 1.013 D counts the members A B C +D
        | 1.013 D commits the membership
        | 1.014 D has the membership in its file
        | 1.210 A has the membership in its log
        | 1.210 A counts the members A B C D
        expect members D A B C D within 200ms
        | 1.211 B has the membership in its log
        | 1.211 B counts the members A B C D
        | 1.211 C has the membership in its log
        | 1.211 C counts the members A B C D
        | 1.211 D has the membership in its log
        | 1.211 D counts the members A B C D
        remove D at B refused not-leader
+50ms   remove D at A
        | 1.211 A has the membership in its file
        | 1.212 B has the membership in its file
        | 1.212 C has the membership in its file
        | 1.212 D has the membership in its file
        | 1.213 A commits the membership
        | 1.214 B commits the membership
        | 1.214 C commits the membership
        | 1.214 D commits the membership
        | 1.261 A has the membership in its log
        | 1.261 A counts the members A B C
        expect members A A B C within 50ms
