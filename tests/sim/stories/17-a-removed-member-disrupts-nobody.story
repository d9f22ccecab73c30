# C was removed while it was away and does not know: it asks who would vote for it, for ever; no term grows, nobody is disturbed
# (etcd 11038).
cluster A B C
        start A B C
        | 0.000 A starts
        | 0.000 B starts
        | 0.000 C starts
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
        cut C | A B
        remove C at A
        | 3.000 A has the membership in its log
        | 3.000 A counts the members A B
        expect members B A B within 50ms
        | 3.001 B has the membership in its log
        | 3.001 B counts the members A B
+3s     expect role C precandidate
        | 3.001 A has the membership in its file
        | 3.002 B has the membership in its file
        | 3.003 A commits the membership
        | 3.004 B commits the membership
        | 3.957 C asks who would vote for it in term 2
        mark
        heal
        expect leader A for 10s
        | 6.059 C campaigns no more; term 1
        | 6.061 C has the membership in its log
        | 6.061 C counts the members A B
        | 6.061 C commits the membership
        | 6.062 C has the membership in its file
        expect term-growth 0
        expect sent VOTE C 0
        expect members C A B          # when it asked, the leader told it
