# Scenario 6: B hears A, A does not hear B: B's acknowledgements do not arrive, so it leaves the set; calm.
cluster A B X
        on A B X
        expect sync A B within 9s
+1s     mark
        cut B > A
        expect sync A within 3s
        expect serves A within 200ms
        expect serves A for 10s
        expect changes 0
        heal
        expect sync A B within 10s
