# B hears the leader and is not heard: nothing happens at all.
cluster A B X
        start A B X
3s      expect leader A
        mark
        cut B > A X
        expect leader A for 20s
        expect role B follower
        expect term-growth 0
        expect sent PREVOTE B 0
