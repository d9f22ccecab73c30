# A candidate that gives up within its term keeps its vote (etcd 2461, redpanda 19).
cluster A B C
        start A B C
3s      expect leader A
        campaign-delay B 50ms         # equal to the spread of their ranks: both campaign in one moment
        campaign-delay C 0ms
        crash A
        mark
        delay VOTE C > B 200ms        # it comes when B has given up
        expect role C candidate within 1.2s
        expect role B candidate within 5ms
        expect role B precandidate within 250ms
+200ms  expect vote B B               # no second vote in that term: the checkers look, too
        expect leader any within 1s
