# RequestVote leaves only after its own term, vote and log are on disk: a crash before that has used no term up.
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
        disk B 200ms
        crash A
        | 3.000 A is down
        mark
        expect role B candidate within 1.2s
        | 3.806 A its lease ends
        | 3.907 B asks who would vote for it in term 2
        | 3.909 B asks for votes in term 2
+150ms  expect sent VOTE B 0
        | 3.957 C asks who would vote for it in term 2
        crash B
        | 4.059 B is down
        disk B 1ms
        start B
        | 4.059 B starts again, in term 1
        heal
        expect leader C within 2s     # B waits for one E after its restart
        | 5.062 C asks for votes in term 2
        | 5.063 C votes for itself in term 2
        | 5.064 B hears of term 2
        | 5.065 B votes for C in term 2
        | 5.066 C leads term 2
        | 5.069 C its lease begins
        | 5.069 C has committed the no-op of term 2
        expect term-growth 1
