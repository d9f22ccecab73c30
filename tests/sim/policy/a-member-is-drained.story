# Before a member is removed: it leaves the sync set while everything runs, and only stands by.
cluster A B C mysql
        on A B C
        | 0.00 A is on
        | 0.00 B is on
        | 0.00 C is on
        expect sync A B C within 12s
        | 1.00 A leads term 1
        | 1.40 A server starts in place
        | 1.41 B server starts in place
        | 1.41 C server starts in place
        | 1.43 - primary A, epoch 1 (first start)
        | 1.43 - sync {A}, acks 0
        | 1.43 A has the record of epoch 1 written
        | 1.43 B receives from A and acknowledges
        | 1.43 C receives from A and acknowledges
        | 1.43 - the record of epoch 1 is committed
        | 1.43 A opens
        | 1.43 C receives no more
        | 1.44 A its commits wait for 1 acknowledgement
        | 1.44 C receives from A
        | 1.44 A has the address
        | 1.44 - A serves
        | 1.44 - sync {A B}, acks 1
        | 1.45 - sync {A B C}, acks 1
+1s     mark
        | 1.45 C receives no more
        | 1.45 C receives from A and acknowledges
        drain C
        expect sync A B within 2s
        | 2.45 - C is to be drained
        | 2.45 C receives no more
        | 2.45 C receives from A
        | 2.68 - sync {A B}, acks 1
        expect follows C within 1s
+2s     expect sync A B
        cancel C
        expect sync A B C within 5s
        | 4.69 - request: done: no longer drained
        | 4.69 - C is no longer drained
        | 4.69 - sync {A B C}, acks 1
        expect gap 200ms
