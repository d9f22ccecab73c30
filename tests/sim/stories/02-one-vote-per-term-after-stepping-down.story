# A candidate that gives up within its term keeps its vote (etcd 2461, redpanda 19).
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
        campaign-delay B 50ms         # equal to the spread of their ranks: both campaign in one moment
        campaign-delay C 0ms
        crash A
        | 3.000 A is down
        mark
        delay VOTE C > B 200ms        # it comes when B has given up
        expect role C candidate within 1.2s
        | 3.806 A its lease ends
        | 3.957 B asks who would vote for it in term 2
        | 3.957 C asks who would vote for it in term 2
        | 3.959 B asks for votes in term 2
        | 3.959 C asks for votes in term 2
        expect role B candidate within 5ms
        expect role B precandidate within 250ms
        | 3.960 B votes for itself in term 2
        | 3.960 C votes for itself in term 2
        | 4.062 B campaigns no more; term 2
        | 4.162 B asks who would vote for it in term 3
+200ms  expect vote B B               # no second vote in that term: the checkers look, too
        | 4.312 C campaigns no more; term 2
        expect leader any within 1s
        | 4.368 B asks for votes in term 3
        | 4.369 B votes for itself in term 3
        | 4.370 C hears of term 3
        | 4.371 C votes for B in term 3
        | 4.372 B leads term 3
        | 4.375 B its lease begins
        | 4.375 B has committed the no-op of term 3
