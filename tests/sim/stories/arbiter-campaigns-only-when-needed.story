# As long as a data node can lead, the arbiter never campaigns; alone, it does not either.
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
        crash A
        | 3.000 A is down
        expect leader B within 1.2s
        | 3.806 A its lease ends
        | 3.907 B asks who would vote for it in term 2
        | 3.909 B asks for votes in term 2
        | 3.910 B votes for itself in term 2
        | 3.911 X hears of term 2
        | 3.912 X votes for B in term 2
        | 3.913 B leads term 2
        | 3.916 B its lease begins
        | 3.916 B has committed the no-op of term 2
        start A
        | 3.916 A starts again, in term 1
+3s     crash B
        | 4.014 A hears of term 2
        | 6.916 B is down
        expect leader A within 1.2s
        | 7.813 B its lease ends
        | 7.914 A asks who would vote for it in term 3
        | 7.916 A asks for votes in term 3
        | 7.917 A votes for itself in term 3
        | 7.918 X hears of term 3
        | 7.919 X votes for A in term 3
        | 7.920 A leads term 3
        | 7.923 A its lease begins
        | 7.923 A has committed the no-op of term 3
        crash A
        | 7.923 A is down
        expect leader none for 10s
        | 8.820 A its lease ends
        expect sent PREVOTE X 0
        expect sent VOTE X 0
        expect waits X arbiter
