# Scenario 17: the only replica has a transaction of its own: its applier stops, so it cannot apply what it
# acknowledged; it is not promoted, and the old primary comes back in place.
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
        quiet
+1s     errant B
        busy
+1s     mark
        kill server A
        | 3.441 A server dies, open
        | 3.441 - nobody serves
        expect serves A within 5s
        | 3.442 A has the address no more
        | 3.442 A leads no more
        | 3.443 B receives no more
        | 3.445 B leads term 2
        | 3.847 A server starts in place
        | 3.863 B leads no more
        | 3.866 A leads term 3
        | 3.869 - primary A, epoch 3 (restart)
        | 3.869 - sync {A}, acks 0
        | 3.871 A has the record of epoch 3 written
        | 3.873 - the record of epoch 3 is committed
        | 3.874 A opens
        | 3.880 A has the address
        | 3.880 - A serves
        expect change restart
        expect serves A for 5s
