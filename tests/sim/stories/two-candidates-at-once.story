# Both survivors campaign in the same moment and split the votes: the ranks decide the next time, about a heartbeat later.
cluster A B C net=5ms
        start A B C
3s      expect leader A
        campaign-delay B 50ms                 # equal to the spread of their ranks
        crash A
        expect role B candidate within 1.2s
        expect role C candidate within 1ms
        expect leader B within 350ms
