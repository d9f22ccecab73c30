# Scenarios 9, 10: every write hangs: the write probe sees it.
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
+1s     mark
        disk A hangs
        expect serves B within 3s
        | 4.679 A has the address no more
        | 4.679 - nobody serves
        | 4.740 A server dies, open
        | 4.741 A leads no more
        | 4.742 B receives no more
        | 4.744 B leads term 2
        | 4.747 - primary B, epoch 2 (failover)
        | 4.747 - sync {B}, acks 0
        | 4.749 B has the record of epoch 2 written
        | 4.752 - the record of epoch 2 is committed
        | 4.752 B opens
        | 4.759 B has the address
        | 4.759 - B serves
        expect changes 1
