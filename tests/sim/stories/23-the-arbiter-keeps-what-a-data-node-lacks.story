# B was down, A and the arbiter committed, A died, B returned: the arbiter has what B lacks (braft witness notes).
# It leads, brings B up to date and hands over at once.
cluster A B X
        start A B X
3s      expect leader A
        crash B
        propose A x
        propose A y
        expect applied y A X within 10ms
        crash A
        start B
        mark
        expect role X leader within 2.3s
        expect no-lease X
        expect leader B within 50ms
        expect applied x B within 10ms
        expect applied y B
        expect term-growth 2
        expect lease B within 10ms
        expect leader B for 5s
