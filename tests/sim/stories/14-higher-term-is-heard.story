# A voter of a higher term answers a PreVote, and its term is adopted: no waiting for ever (canonical/raft 279).
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
        end-lease A
        release A
        | 3.000 A lets go of its lease
        drop VOTE B > A
        drop VOTE B > C
        mark
        transfer A to B
        | 3.000 A leads no more; term 1
+20ms   expect role B candidate       # B has used a term up that nobody knows
        | 3.001 B asks for votes in term 2
        | 3.002 B votes for itself in term 2
        expect term-growth 1
        crash A
        | 3.020 A is down
        crash B
        | 3.020 B is down
        heal
        campaign-delay B 4s           # it would rather not lead
        start B
        | 3.020 B starts again, in term 2
        expect leader C within 1.3s   # though C has to ask for a higher term than it knew
        | 3.957 C asks who would vote for it in term 2
        | 3.959 C asks who would vote for it in term 3
        | 4.023 C asks for votes in term 3
        | 4.024 C votes for itself in term 3
        | 4.025 B hears of term 3
        | 4.026 B votes for C in term 3
        | 4.027 C leads term 3
        | 4.030 C its lease begins
        | 4.030 C has committed the no-op of term 3
        expect term-growth 2
        expect leader C for 5s
