# Scenario 20: all hosts boot together, the primary's is missing: read-only until it is there, or a member that counts.
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
        off A B X
        | 1.44 A is off
        | 1.44 B is off
        | 1.44 X is off
        | 1.44 - nobody serves
+1s     on B X
        | 2.44 B is on
        | 2.44 X is on
        expect serves none for 15s    # B's received log may be gone: it has restarted
        | 3.49 B leads term 2
        | 4.00 B server starts in place
        expect closed B
        expect waits B A is needed
        expect in-place B             # nothing is cut on a member of the sync set
        on A
        | 17.44 A is on
        expect serves any within 5s
        | 17.91 A server starts in place
        | 17.93 B leads no more
        | 18.90 A leads term 3
        | 18.90 - primary A, epoch 3 (restart)
        | 18.90 - sync {A}, acks 0
        | 18.90 A has the record of epoch 3 written
        | 18.90 B receives from A and acknowledges
        | 18.91 - the record of epoch 3 is committed
        | 18.91 A opens
        | 18.91 A its commits wait for 1 acknowledgement
        | 18.91 A has the address
        | 18.91 - A serves
        expect sync A B within 10s
        | 18.92 - sync {A B}, acks 1
