# Scenario 6: A and B do not hear each other, both see the arbiter: A stays, B leaves the sync set, terms stand still.
cluster A B X
        on A B X
        expect sync A B within 9s
+1s     mark
        cut A | B
        expect sync A within 2500ms
        expect serves A within 200ms
        expect serves A for 10s
        expect term-growth 0
        expect changes 0
        heal
        expect sync A B within 8s
        expect changes 0
