# A planned switchover loses nothing, and needs no sync set.
cluster A B X available=2s
        on A B X
        | 0.00 A is on
        | 0.00 B is on
        | 0.00 X is on
        expect serves A within 12s
        | 1.00 A leads term 1
        | 1.40 A server starts in place
        | 1.41 B server starts in place
        | 1.43 - primary A, epoch 1 (first start)
        | 1.43 - sync {A}, acks 0
        | 1.43 A has the record of epoch 1 written
        | 1.43 B receives from A and acknowledges
        | 1.43 - the record of epoch 1 is committed
        | 1.43 A opens
        | 1.44 A has the address
        | 1.44 - A serves
+2s     mark
        switchover to B
        expect serves B within 2s
        | 3.44 - switchover to B is asked for
        | 3.44 A closes
        | 3.44 - nobody serves
        | 3.44 A has the address no more
        | 3.44 A leads no more
        | 3.44 B receives no more
        | 3.45 B leads term 2
        | 3.45 - primary B, epoch 2 (switchover)
        | 3.45 - sync {B}, acks 0
        | 3.45 B has the record of epoch 2 written
        | 3.45 A receives from B and acknowledges
        | 3.45 - request: done
        | 3.45 - the record of epoch 2 is committed
        | 3.45 B opens
        | 3.46 B has the address
        | 3.46 - B serves
        expect outcome done
        expect follows A within 2s
        expect gap 500ms
