# Scenario 5: the old primary has committed something alone (a restart in place made it visible there): it is set
# aside, never merged.
cluster A B X
        on A B X
        expect sync A B within 9s
        cut A | B X
        expect serves B within 2s
        errant A
        heal
+5s     expect no-follows A
        expect waits A it holds transactions that the primary B lacks
        expect serves B
        expect sync B
