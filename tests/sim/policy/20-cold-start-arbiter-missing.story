# Scenario 20: the arbiter is missing.
cluster A B X
        on A B X
        expect sync A B within 9s
        off A B X
+1s     on B
+500ms  on A
        expect serves any within 6s
        on X
        expect sync A B within 10s
