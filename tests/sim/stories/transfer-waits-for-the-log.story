# TIMEOUT_NOW goes out once the target has everything; meanwhile nothing new is taken.
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
        disk B 200ms
        propose A x
        | 3.000 A has x in its log
        end-lease A
        release A
        | 3.000 A lets go of its lease
        mark
        transfer A to B
        propose A y refused busy
        transfer A to B                       # asked again: the same transfer
        expect sent TIMEOUT_NOW A 0
        expect leader A for 150ms
        | 3.001 B has x in its log
        | 3.001 X has x in its log
        | 3.001 A has x in its file
        | 3.002 X has x in its file
        | 3.003 A commits x
        | 3.004 X commits x
        | 3.007 B commits x
        expect leader B within 700ms
        | 3.201 B has x in its file
        | 3.202 A leads no more; term 1
        | 3.203 B asks for votes in term 2
        | 3.403 B votes for itself in term 2
        | 3.404 A hears of term 2
        | 3.404 X hears of term 2
        | 3.405 A votes for B in term 2
        | 3.405 X votes for B in term 2
        | 3.406 B leads term 2
        | 3.409 B its lease begins
        | 3.409 B has committed the no-op of term 2
        expect applied x B
