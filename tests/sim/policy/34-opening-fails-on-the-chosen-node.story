# Scenario 34: the chosen node does not open.
cluster A B X
        on A B X
        expect sync A B within 9s
        fails B open
        switchover to B
        expect primary B within 2s
+500ms  expect no-address B
        expect serves A within 8s
        expect closed B
        works B
        expect sync A B within 12s
