# Scenarios 9, 10: every write hangs: the write probe sees it.
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
+1s     mark
        disk A hangs
        expect serves B within 3s
        | 4.68 A has the address no more
        | 4.68 - nobody serves
        | 4.74 A server dies, open
        | 4.74 B receives no more
        | 4.74 A leads no more
        | 4.74 B leads term 2
        | 4.75 - primary B, epoch 2 (failover)
        | 4.75 - sync {B}, acks 0
        | 4.75 B has the record of epoch 2 written
        | 4.75 - the record of epoch 2 is committed
        | 4.75 B opens
        | 4.76 B has the address
        | 4.76 - B serves
        expect changes 1
