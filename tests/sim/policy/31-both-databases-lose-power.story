# Scenario 31: both database hosts lose power, the replica comes back first, the primary never: its received log
# does not outlive the restart, so it waits and says for what.
cluster A B X
        on A B X
        expect sync A B within 9s
        off A B
+1s     on B
        expect serves none for 20s
        expect waits B A is needed
        expect in-place B             # nothing is cut on a member of the sync set
