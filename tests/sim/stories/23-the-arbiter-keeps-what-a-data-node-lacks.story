# B was down, A and the arbiter committed, A died, B returned: the arbiter has what B lacks (braft witness notes).
# It leads, brings B up to date and hands over at once.
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
        propose A y
        | 3.000 A has y in its log
        expect applied y A X within 10ms
        | 3.001 X has x in its log
        | 3.001 A has x y in its file
        | 3.001 X has y in its log
        | 3.002 X has x y in its file
        | 3.003 A commits x
        | 3.003 A commits y
        | 3.004 X commits x y
        crash A
        | 3.004 A is down
        start B
        | 3.004 B starts again, in term 1
        mark
        expect role X leader within 2.3s
        | 3.806 A its lease ends
        | 4.054 B asks who would vote for it in term 2
        | 4.155 X asks who would vote for it in term 2
        | 4.157 X asks for votes in term 2
        | 4.158 X votes for itself in term 2
        | 4.159 B campaigns no more; term 2
        | 4.160 B votes for X in term 2
        | 4.161 X leads term 2
        expect no-lease X
        expect leader B within 50ms
        | 4.164 B has x y in its log
        | 4.164 B commits x y
        | 4.165 B has x y in its file
        | 4.166 X leads no more; term 2
        | 4.167 B asks for votes in term 3
        | 4.168 B votes for itself in term 3
        | 4.169 X hears of term 3
        | 4.170 X votes for B in term 3
        | 4.171 B leads term 3
        | 4.174 B its lease begins
        | 4.174 B has committed the no-op of term 3
        expect applied x B within 10ms
        expect applied y B
        expect term-growth 2
        expect lease B within 10ms
        expect leader B for 5s
