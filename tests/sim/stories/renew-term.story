# A leader under a new term, in place: same conditions as a transfer.
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
        renew A refused busy
        end-lease A
        release A
        | 3.000 A lets go of its lease
        mark
        renew A
        | 3.000 A asks for votes in term 2
        expect leader A within 10ms
        | 3.001 A votes for itself in term 2
        | 3.002 B hears of term 2
        | 3.002 X hears of term 2
        | 3.003 B votes for A in term 2
        | 3.003 X votes for A in term 2
        | 3.004 A leads term 2
        | 3.007 A its lease begins
        | 3.007 A has committed the no-op of term 2
        expect term-growth 1
        expect lease A within 10ms
