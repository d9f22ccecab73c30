# The leader is cut off: its lease ends before the other one begins; terms do not grow on its side; it comes back calmly.
cluster A B X
        start A B X
3s      expect leader A
        mark
        cut A | B X
        expect leader B within 1.1s           # the checkers look for two live leases
        expect term-growth 1
        expect role A precandidate within 200ms
        expect leader B for 30s
        expect term-growth 1
        heal
        expect role A follower within 200ms
        expect leader B for 5s
        expect term-growth 1
