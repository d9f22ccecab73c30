# Scenario 17: the only replica has a transaction of its own: its applier stops, so it cannot apply what it
# acknowledged; it is not promoted, and the old primary comes back in place.
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
        quiet
+1s     errant B
        busy
+1s     mark
        kill server A
        | 3.44 A server dies, open
        | 3.44 B receives no more
        | 3.44 - nobody serves
        expect serves A within 5s
        | 3.44 A has the address no more
        | 3.44 A leads no more
        | 3.44 B leads term 2
        | 3.85 A server starts in place
        | 3.86 B leads no more
        | 3.87 A leads term 3
        | 3.87 - primary A, epoch 3 (restart)
        | 3.87 - sync {A}, acks 0
        | 3.87 A has the record of epoch 3 written
        | 3.87 - the record of epoch 3 is committed
        | 3.87 A opens
        | 3.88 A has the address
        | 3.88 - A serves
        expect change restart
        expect serves A for 5s
