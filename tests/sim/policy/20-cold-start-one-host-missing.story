# Scenario 20: all hosts boot together, the primary's is missing: read-only until it is there, or a member that counts.
cluster A B X
        on A B X
        expect sync A B within 9s
        off A B X
+1s     on B X
        expect serves none for 15s    # B's received log may be gone: it has restarted
        expect closed B
        expect waits B A is needed
        expect in-place B             # nothing is cut on a member of the sync set
        on A
        expect serves any within 5s
        expect sync A B within 10s
