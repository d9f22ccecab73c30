# The leader can send but not hear: it must notice (CheckQuorum), or nobody is ever elected.
cluster A B C
        start A B C
3s      expect leader A
        mark
        cut B C > A
        expect role A follower within 1.1s
        expect no-lease A
        expect leader B within 1.3s
        expect term-growth 1
        expect leader B for 20s               # A asks for votes and hears no answer: no harm
        expect term-growth 1
        heal
        expect leader B for 5s
        expect term-growth 1
