# Scenario 13: the replica's server hangs without closing its connection.
cluster A B X probe-timeout=1s
        on A B X
        expect sync A B within 9s
+1s     mark
        stop server B 60s
        expect sync A within 2500ms
        expect serves A within 100ms
+500ms  expect gap 2500ms
        expect sync A B within 12s    # killed by its own worker, started again
        expect changes 0
