# Scenario 13: the only acknowledging replica dies: writes go on after one detection time.
cluster A B X
        on A B X
        expect sync A B within 9s
+1s     mark
        off B
        expect sync A within 2500ms
        expect serves A within 100ms
+1s     expect gap 2500ms
        expect changes 0
        on B
        expect sync A B within 10s
