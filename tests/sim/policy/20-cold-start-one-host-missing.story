# Scenario 20: all hosts boot together, the primary's is missing: read-only until it is there, or a member that counts.
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
        off A B X
        | 1.441 A is off
        | 1.441 B is off
        | 1.441 X is off
        | 1.441 - nobody serves
+1s     on B X
        | 2.441 B is on
        | 2.441 X is on
        expect serves none for 15s    # B's received log may be gone: it has restarted
        | 3.495 B leads term 2
        | 3.995 B server starts in place
        | 3.995 B acknowledges no more
        expect closed B
        expect waits B A is needed
        expect in-place B             # nothing is cut on a member of the sync set
        on A
        | 17.441 A is on
        expect serves any within 5s
        | 17.913 A server starts in place
        | 17.927 B leads no more
        | 18.898 A leads term 3
        | 18.901 - primary A, epoch 3 (restart)
        | 18.901 - sync {A}, acks 0
        | 18.903 A has the record of epoch 3 written
        | 18.904 B receives from A and acknowledges
        | 18.906 - the record of epoch 3 is committed
        | 18.907 A opens
        | 18.908 A its commits wait for 1 acknowledgement
        | 18.913 A has the address
        | 18.913 - A serves
        expect sync A B within 10s
        | 18.916 - sync {A B}, acks 1
