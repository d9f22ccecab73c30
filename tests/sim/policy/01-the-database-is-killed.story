# Scenario 1: kill -9 of the primary's database: drained promotion, the address moves, no timeout in the path.
cluster A B X
        on A B X
        expect serves A within 6s
        expect sync A B within 3s
+3s     applier B held 100ms          # a backlog: received, not applied
+50ms   mark
        kill server A
        expect primary B within 300ms
        expect sync B
        expect serves B within 50ms
        expect change failover
        expect gap 300ms
        expect follows A within 3s    # the old primary returns, what nobody acknowledged is cut
        expect sync A B within 6s
        expect changes 1 for 5s
