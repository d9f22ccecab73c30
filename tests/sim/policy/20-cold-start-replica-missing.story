# Scenario 20: the replica is missing: the primary opens alone once the change of the rule is committed.
cluster A B X
        on A B X
        expect sync A B within 9s
        off A B X
+1s     on X A
        expect serves A within 6s
        expect sync A
        on B
        expect sync A B within 10s
