# A voter that restarts has forgotten whom it heard, not what it promised: it waits one E (nebula 5352).
cluster A B X
        start A B X
3s      expect leader A
        cut A | B                     # B hears nothing any more, X does: B asks in vain
5s      expect leader A
        expect role B precandidate
        expect lease A
        crash X
        cut A | X
        start X                       # A's lease lives on what X answered before
        expect held X
        expect role B precandidate for 880ms
        expect no-lease A
        expect leader B within 250ms
