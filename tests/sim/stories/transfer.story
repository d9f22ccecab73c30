# A planned handover: the lease ends, its powers are released, the target takes over within a few round trips.
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
        propose A x
        | 3.000 A has x in its log
        transfer A to B refused busy          # its lease lives
        end-lease A
        transfer A to B refused busy          # ended, but published until later
        renew A refused busy
        transfer A to X refused invalid
        release A
        | 3.000 A lets go of its lease
        expect no-lease A
        mark
        transfer A to B
        expect leader B within 15ms
        | 3.001 B has x in its log
        | 3.001 X has x in its log
        | 3.001 A has x in its file
        | 3.002 B has x in its file
        | 3.002 X has x in its file
        | 3.003 A leads no more; term 1
        | 3.003 A commits x
        | 3.004 B asks for votes in term 2
        | 3.005 B votes for itself in term 2
        | 3.006 A hears of term 2
        | 3.006 X hears of term 2
        | 3.007 A votes for B in term 2
        | 3.007 X votes for B in term 2
        | 3.008 B leads term 2
        | 3.011 B its lease begins
        | 3.011 B commits x
        | 3.011 B has committed the no-op of term 2
        expect term-growth 1
        expect applied x B
        expect lease B
        propose A y refused not-leader
        expect leader B for 5s
        | 3.012 X commits x
