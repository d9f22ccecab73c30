# A short log is refused while a leader is heard: no reason for the arbiter to campaign.
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
        crash B
        | 3.000 B is down
        propose A x
        | 3.000 A has x in its log
        cut A | B
        start B
        | 3.000 B starts again, in term 1
        mark
        expect leader A for 10s
        | 3.001 X has x in its log
        | 3.001 A has x in its file
        | 3.002 X has x in its file
        | 3.003 A commits x
        | 3.004 X commits x
        | 4.050 B asks who would vote for it in term 2
        expect sent PREVOTE X 0
        expect term-growth 0
