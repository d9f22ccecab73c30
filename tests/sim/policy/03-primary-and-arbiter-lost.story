# Scenario 3: the same, and the arbiter is down too: no promotion until one of them is back.
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
        off X
        | 1.441 X is off
+2s     expect serves A               # the arbiter's death alone changes nothing
        mark
        off A
        | 3.441 A is off
        | 3.441 - nobody serves
        expect serves none for 20s
        | 7.450 B receives no more
        expect changes 0
        expect closed B
        on X
        | 23.441 X is on
        expect serves B within 3s
        | 24.445 B leads term 2
        | 24.448 - primary B, epoch 2 (failover)
        | 24.448 - sync {B}, acks 0
        | 24.450 B has the record of epoch 2 written
        | 24.453 - the record of epoch 2 is committed
        | 24.453 B opens
        | 24.460 B has the address
        | 24.460 - B serves
