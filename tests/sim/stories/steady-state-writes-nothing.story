# Heartbeats cost messages, never a write, and terms stay.
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
        disk A hangs
        disk B hangs
        disk X hangs
        expect leader A for 5s
        expect lease A
        expect term-growth 0
