# A and B do not see each other, both see the arbiter: the leader stays, in the same term.
cluster A B X
        start A B X
3s      expect leader A
        mark
        cut A | B
        expect leader A for 30s
        expect lease A
        expect term-growth 0
        propose A x
        expect applied x A X within 200ms
        heal
        expect applied x B within 300ms
        expect term-growth 0
