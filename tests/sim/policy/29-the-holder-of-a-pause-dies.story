# Section 4: the holder of a pause loses power: nobody is promoted before the pause is over, counted by the new leader.
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
        pause 5s
+1s     off A
        | 1.443 - pause, held by A
        | 2.441 A is off
        | 2.441 - nobody serves
        expect serves none for 5s
        | 3.405 B receives no more
        | 3.407 B leads term 2
        expect serves B within 3s
        | 8.408 - pause is over
        | 8.408 - primary B, epoch 2 (failover)
        | 8.408 - sync {B}, acks 0
        | 8.408 B leads no more
        | 8.411 B leads term 3
        | 8.414 - primary B, epoch 3 (restart)
        | 8.416 B has the record of epoch 3 written
        | 8.419 - the record of epoch 3 is committed
        | 8.420 B opens
        | 8.426 B has the address
        | 8.426 - B serves
