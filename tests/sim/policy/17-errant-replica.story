# Scenario 17: the only replica has a transaction of its own: its applier stops, so it cannot apply what it
# acknowledged; it is not promoted, and the old primary comes back in place.
cluster A B X
        on A B X
        expect sync A B within 9s
        quiet
+1s     errant B
        busy
+1s     mark
        kill server A
        expect serves A within 5s
        expect change restart
        expect serves A for 5s
