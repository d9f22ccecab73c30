# Scenario 12: the replica's applier is a long way behind when the primary dies: all of it is applied first.
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
        applier B held 5s
+2s     off A
        | 3.441 A is off
        | 3.441 - nobody serves
        expect leader B within 2s
        | 4.405 B receives no more
        | 4.407 B leads term 2
        expect serves none for 1s
        expect serves B within 3s
        | 6.582 - primary B, epoch 2 (failover)
        | 6.582 - sync {B}, acks 0
        | 6.583 B has the record of epoch 2 written
        | 6.586 - the record of epoch 2 is committed
        | 6.587 B opens
        | 6.593 B has the address
        | 6.593 - B serves
