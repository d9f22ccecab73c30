# A candidate's vote for itself is on its disk before anybody hears of it (nebula 3415).
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
        expect vote A A
        crash A
        | 3.000 A is down
        expect leader B within 1.2s
        | 3.806 A its lease ends
        | 3.907 B asks who would vote for it in term 2
        | 3.909 B asks for votes in term 2
        | 3.910 B votes for itself in term 2
        | 3.911 C hears of term 2
        | 3.912 C votes for B in term 2
        | 3.913 B leads term 2
        | 3.916 B its lease begins
        | 3.916 B has committed the no-op of term 2
        expect vote B B
        crash B
        | 3.916 B is down
        start B
        | 3.916 B starts again, in term 2
        expect vote B B
