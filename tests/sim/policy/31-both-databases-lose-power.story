# Scenario 31: both database hosts lose power, the replica comes back first, the primary never: its received log
# does not outlive the restart, so it waits and says for what.
cluster A B X
        on A B X
        | 0.000 A is on
        | 0.000 B is on
        | 0.000 X is on
        expect sync A B within 9s
        | 1.003 A leads term 1
        | 1.405 A server starts in place
        | 1.405 B server starts in place
        | 1.426 - primary A, epoch 1 (first start)
        | 1.426 - sync {A}, acks 0
        | 1.428 A has the record of epoch 1 written
        | 1.429 B receives from A and acknowledges
        | 1.431 - the record of epoch 1 is committed
        | 1.432 A opens
        | 1.433 A its commits wait for 1 acknowledgement
        | 1.438 A has the address
        | 1.438 - A serves
        | 1.441 - sync {A B}, acks 1
        off A B
        | 1.441 A is off
        | 1.441 B is off
        | 1.441 - nobody serves
+1s     on B
        | 2.441 B is on
        expect serves none for 20s
        | 3.495 B leads term 2
        | 3.995 B server starts in place
        | 3.995 B acknowledges no more
        expect waits B A is needed
        expect in-place B             # nothing is cut on a member of the sync set
