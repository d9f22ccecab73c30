# The arbiter is about to campaign for B when A, who has everything, returns: A may lead, whoever does.
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
+10ms   crash A
        | 3.001 X has x in its log
        | 3.001 A has x in its file
        | 3.002 X has x in its file
        | 3.003 A commits x
        | 3.004 X commits x
        | 3.010 A is down
        start B
        | 3.010 B starts again, in term 1
+980ms  start A
        | 3.906 A its lease ends
        | 3.990 A starts again, in term 1
        expect leader any within 2.5s
        | 4.060 B asks who would vote for it in term 2
        | 4.161 X asks who would vote for it in term 2
        | 4.163 X asks for votes in term 2
        | 4.164 X votes for itself in term 2
        | 4.165 B campaigns no more; term 2
        | 4.166 B votes for X in term 2
        | 4.167 X leads term 2
        | 4.168 A hears of term 2
        | 4.170 X leads no more; term 2
        | 4.170 B has x in its log
        | 4.170 B commits x
        | 4.171 B has x in its file
        | 5.168 A asks who would vote for it in term 3
        | 5.170 A asks for votes in term 3
        | 5.171 A votes for itself in term 3
        | 5.172 B hears of term 3
        | 5.172 X hears of term 3
        | 5.173 B votes for A in term 3
        | 5.173 X votes for A in term 3
        | 5.174 A leads term 3
        | 5.177 A its lease begins
        | 5.177 A has committed the no-op of term 3
        expect applied x A B X within 1.2s
        expect leader any for 5s
