# Scenario 12: the replica's applier is a long way behind when the primary dies: all of it is applied first.
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
        applier B held 5s
+2s     off A
        | 3.44 A is off
        | 3.44 - nobody serves
        expect leader B within 2s
        | 4.40 B receives no more
        | 4.41 B leads term 2
        expect serves none for 1s
        expect serves B within 3s
        | 6.58 - primary B, epoch 2 (failover)
        | 6.58 - sync {B}, acks 0
        | 6.58 B has the record of epoch 2 written
        | 6.59 - the record of epoch 2 is committed
        | 6.59 B opens
        | 6.59 B has the address
        | 6.59 - B serves
