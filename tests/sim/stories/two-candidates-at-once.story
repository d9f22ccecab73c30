# Both survivors campaign in the same moment and split the votes: the ranks decide the next time, about a heartbeat later.
cluster A B C net=5ms
        start A B C
        | 0.000 A starts
        | 0.000 B starts
        | 0.000 C starts
3s      expect leader A
        | 1.000 A asks who would vote for it in term 1
        | 1.010 A asks for votes in term 1
        | 1.011 A votes for itself in term 1
        | 1.016 B hears of term 1
        | 1.016 C hears of term 1
        | 1.017 B votes for A in term 1
        | 1.017 C votes for A in term 1
        | 1.022 A leads term 1
        | 1.033 A its lease begins
        | 1.033 A has committed the no-op of term 1
        campaign-delay B 50ms                 # equal to the spread of their ranks
        crash A
        | 3.000 A is down
        expect role B candidate within 1.2s
        | 3.822 A its lease ends
        | 3.977 B asks who would vote for it in term 2
        | 3.977 C asks who would vote for it in term 2
        | 3.987 B asks for votes in term 2
        expect role C candidate within 1ms
        | 3.987 C asks for votes in term 2
        expect leader B within 350ms
        | 3.988 B votes for itself in term 2
        | 3.988 C votes for itself in term 2
        | 4.098 B campaigns no more; term 2
        | 4.148 C campaigns no more; term 2
        | 4.198 B asks who would vote for it in term 3
        | 4.208 B asks for votes in term 3
        | 4.209 B votes for itself in term 3
        | 4.214 C hears of term 3
        | 4.215 C votes for B in term 3
        | 4.220 B leads term 3
        | 4.231 B its lease begins
        | 4.231 B has committed the no-op of term 3
