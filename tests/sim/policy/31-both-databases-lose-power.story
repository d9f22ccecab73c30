# Scenario 31: both database hosts lose power, the replica comes back first, the primary never: its received log
# does not outlive the restart, so it waits and says for what.
cluster A B X
        on A B X
        | 0.00 A is on
        | 0.00 B is on
        | 0.00 X is on
        expect sync A B within 9s
        | 1.00 A leads term 1
        | 1.40 A server starts in place
        | 1.41 B server starts in place
        | 1.43 - primary A, epoch 1 (first start)
        | 1.43 - sync {A}, acks 0
        | 1.43 A has the record of epoch 1 written
        | 1.43 B receives from A and acknowledges
        | 1.43 - the record of epoch 1 is committed
        | 1.43 A opens
        | 1.43 A its commits wait for 1 acknowledgement
        | 1.44 A has the address
        | 1.44 - A serves
        | 1.44 - sync {A B}, acks 1
        off A B
        | 1.44 A is off
        | 1.44 B is off
        | 1.44 - nobody serves
+1s     on B
        | 2.44 B is on
        expect serves none for 20s
        | 3.49 B leads term 2
        | 4.00 B server starts in place
        expect waits B A is needed
        expect in-place B             # nothing is cut on a member of the sync set
