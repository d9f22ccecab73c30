# Section 4: the holder of a pause loses power: nobody is promoted before the pause is over, counted by the new leader.
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
        pause 5s
+1s     off A
        | 1.44 - pause, held by A
        | 2.44 A is off
        | 2.44 - nobody serves
        expect serves none for 5s
        | 3.40 B receives no more
        | 3.41 B leads term 2
        expect serves B within 3s
        | 8.41 - pause is over
        | 8.41 - primary B, epoch 2 (failover)
        | 8.41 - sync {B}, acks 0
        | 8.41 B leads no more
        | 8.41 B leads term 3
        | 8.41 - primary B, epoch 3 (restart)
        | 8.42 B has the record of epoch 3 written
        | 8.42 - the record of epoch 3 is committed
        | 8.42 B opens
        | 8.43 B has the address
        | 8.43 - B serves
