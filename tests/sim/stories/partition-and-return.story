# The leader is cut off: its lease ends before the other one begins; terms do not grow on its side; it comes back calmly.
cluster A B X
        start A B X
        | 0.000 A starts
        | 0.000 B starts
        | 0.000 X starts
3s      expect leader A
        | 1.000 A asks who would vote for it in term 1
        | 1.002 A asks for votes in term 1
        | 1.003 A votes for itself in term 1
        | 1.004 B hears of term 1
        | 1.004 X hears of term 1
        | 1.005 B votes for A in term 1
        | 1.005 X votes for A in term 1
        | 1.006 A leads term 1
        | 1.009 A its lease begins
        | 1.009 A has committed the no-op of term 1
        mark
        cut A | B X
        expect leader B within 1.1s           # the checkers look for two live leases
        | 3.806 A its lease ends
        | 3.906 A leads no more; term 1
        | 3.907 B asks who would vote for it in term 2
        | 3.909 B asks for votes in term 2
        | 3.910 B votes for itself in term 2
        | 3.911 X hears of term 2
        | 3.912 X votes for B in term 2
        | 3.913 B leads term 2
        | 3.916 B its lease begins
        | 3.916 B has committed the no-op of term 2
        expect term-growth 1
        expect role A precandidate within 200ms
        | 4.056 A asks who would vote for it in term 2
        expect leader B for 30s
        expect term-growth 1
        heal
        expect role A follower within 200ms
        | 34.114 A campaigns no more; term 2
        expect leader B for 5s
        expect term-growth 1
