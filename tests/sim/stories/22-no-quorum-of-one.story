# Two nodes alone: one of them is never a quorum (NuRaft 151).
cluster A B
        start A B
        | 0.000 A starts
        | 0.000 B starts
3s      expect leader A
        | 1.000 A asks who would vote for it in term 1
        | 1.002 A asks for votes in term 1
        | 1.003 A votes for itself in term 1
        | 1.004 B hears of term 1
        | 1.005 B votes for A in term 1
        | 1.006 A leads term 1
        | 1.009 A its lease begins
        | 1.009 A has committed the no-op of term 1
        crash B
        | 3.000 B is down
        expect leader none within 1.2s
        | 3.806 A its lease ends
        | 3.906 A leads no more; term 1
        expect no-lease A
        mark
        expect leader none for 20s
        | 4.056 A asks who would vote for it in term 2
        expect term-growth 0
        start B
        | 23.906 B starts again, in term 1
        expect leader any within 1.5s
        | 24.909 A asks for votes in term 2
        | 24.910 A votes for itself in term 2
        | 24.911 B hears of term 2
        | 24.912 B votes for A in term 2
        | 24.913 A leads term 2
        | 24.916 A its lease begins
        | 24.916 A has committed the no-op of term 2
