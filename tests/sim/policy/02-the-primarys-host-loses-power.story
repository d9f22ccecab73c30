# Scenario 2: all processes and the link at once: failover after E.
cluster A B X
        on A B X
        expect sync A B within 9s
+2s     mark
        off A
        expect primary B within 1500ms
        expect sync B                 # in the same entry: A's return needs no second detection
        expect serves B within 100ms
+2s     on A
        expect follows A within 5s
        expect sync A B within 8s
        expect changes 1
        expect gap 1500ms
