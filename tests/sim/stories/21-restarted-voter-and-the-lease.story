# A voter that restarts has forgotten whom it heard, not what it promised: it waits one E (nebula 5352).
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
        cut A | B                     # B hears nothing any more, X does: B asks in vain
5s      expect leader A
        | 3.907 B asks who would vote for it in term 2
        expect role B precandidate
        expect lease A
        crash X
        | 5.000 X is down
        cut A | X
        start X                       # A's lease lives on what X answered before
        | 5.000 X starts again, in term 1
        expect held X
        expect role B precandidate for 880ms
        | 5.806 A its lease ends
        expect no-lease A
        expect leader B within 250ms
        | 5.906 A leads no more; term 1
        | 6.003 B asks for votes in term 2
        | 6.004 B votes for itself in term 2
        | 6.005 X hears of term 2
        | 6.006 X votes for B in term 2
        | 6.007 B leads term 2
        | 6.010 B its lease begins
        | 6.010 B has committed the no-op of term 2
