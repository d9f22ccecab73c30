# A short log is refused while a leader is heard: no reason for the arbiter to campaign.
cluster A B X
        start A B X
3s      expect leader A
        crash B
        propose A x
        cut A | B
        start B
        mark
        expect leader A for 10s
        expect sent PREVOTE X 0
        expect term-growth 0
