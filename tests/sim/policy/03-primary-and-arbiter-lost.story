# Scenario 3: the same, and the arbiter is down too: no promotion until one of them is back.
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
        off X
        | 1.44 X is off
+2s     expect serves A               # the arbiter's death alone changes nothing
        mark
        off A
        | 3.44 A is off
        | 3.44 - nobody serves
        expect serves none for 20s
        | 7.44 B receives no more
        expect changes 0
        expect closed B
        on X
        | 23.44 X is on
        expect serves B within 3s
        | 24.44 B leads term 2
        | 24.45 - primary B, epoch 2 (failover)
        | 24.45 - sync {B}, acks 0
        | 24.45 B has the record of epoch 2 written
        | 24.45 - the record of epoch 2 is committed
        | 24.45 B opens
        | 24.46 B has the address
        | 24.46 - B serves
