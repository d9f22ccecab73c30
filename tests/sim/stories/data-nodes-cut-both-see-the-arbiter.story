# A and B do not see each other, both see the arbiter: the leader stays, in the same term.
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
        cut A | B
        expect leader A for 30s
        | 3.907 B asks who would vote for it in term 2
        expect lease A
        expect term-growth 0
        propose A x
        | 33.000 A has x in its log
        expect applied x A X within 200ms
        | 33.001 X has x in its log
        | 33.001 A has x in its file
        | 33.002 X has x in its file
        | 33.003 A commits x
        | 33.004 X commits x
        heal
        expect applied x B within 300ms
        | 33.007 B campaigns no more; term 1
        | 33.009 B has x in its log
        | 33.009 B commits x
        expect term-growth 0
