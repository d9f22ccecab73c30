# Three data nodes, MySQL: an operator has a sound member rebuilt. It leaves the sync set, stays out of it while it is copied
# from the other replica, and comes in again; nobody notices.
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
+2s     mark
        | 1.45 C receives no more
        | 1.45 C receives from A and acknowledges
        rebuild C
        expect sync A B within 2s
        | 3.45 - C is to be rebuilt
        | 3.45 C receives no more
        | 3.45 C receives from A
        | 3.68 - sync {A B}, acks 1
        expect down C within 2s
        | 3.68 C is rebuilt from B
        | 3.68 C dbworker ends
        | 3.71 C server dies
        expect sync A B for 400ms
        expect outcome done within 5s
        | 4.21 C dbworker starts
        | 4.21 C its rebuild ends
        | 4.21 C server starts in place
        | 4.23 - request: done: made anew
        | 4.23 - C is no longer rebuilt
        expect sync A B C within 5s
        | 4.45 C receives from A
        | 4.46 - sync {A B C}, acks 1
        expect gap 100ms
