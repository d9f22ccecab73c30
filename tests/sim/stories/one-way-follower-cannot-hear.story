# B cannot hear the leader, but is heard: it asks and is refused, terms do not grow, nothing moves.
cluster A B X
        start A B X
3s      expect leader A
        mark
        cut A > B
        expect leader A for 20s
        expect term-growth 0
        heal
        expect leader A for 3s
        expect role B follower
        expect term-growth 0
