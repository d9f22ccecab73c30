# Scenario 35: the only eligible database crashes and can restart: opened again under a new epoch, nobody else.
cluster A B X
        on A B X
        expect sync A B within 9s
        off B
        expect sync A within 3s
        mark
        kill server A
        expect serves A within 3s
        expect change restart
        expect changes 1
        expect term-growth 1
