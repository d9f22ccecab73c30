# Scenario 34: the epoch record cannot be written on the chosen node: undone there, another takes it.
cluster A B X
        on A B X
        expect sync A B within 9s
        fails B promote
        kill server A
        expect serves A within 6s     # the only other: restarted in place
        works B
        expect sync A B within 12s
