# The same with two data nodes that replicate by one account: the primary goes on alone, and the other one receives nothing.
cluster A B X shared-account
        on A B X
        | 0.00 A is on
        | 0.00 B is on
        | 0.00 X is on
        expect sync A B within 12s
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
        drain B
        expect sync A within 2s
        | 2.44 - B is to be drained
        | 2.51 - sync {A}, acks 0
        expect no-follows B within 1s
        | 2.51 A its commits wait for 0 acknowledgements
        | 2.51 B receives no more
        cancel B
        expect sync A B within 5s
        | 2.51 - request: done: no longer drained
        | 2.51 - B is no longer drained
        | 2.51 B receives from A and acknowledges
        | 2.51 A its commits wait for 1 acknowledgement
        | 2.53 - sync {A B}, acks 1
        expect gap 200ms
