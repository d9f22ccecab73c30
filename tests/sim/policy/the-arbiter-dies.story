# The arbiter dies: nothing moves; the status says what one more failure means now.
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
+1s     expect if-one-fails A If A fails: a member of the sync set takes over
        mark
        off X
        | 2.44 X is off
+3s     expect serves A
        expect if-one-fails A If A fails: no quorum
        expect if-one-fails A If B fails: no quorum
        expect gap 50ms
        expect changes 0
        expect term-growth 0
        off A                         # the one more
        | 5.44 A is off
        | 5.44 - nobody serves
        expect serves none for 10s
        | 9.44 B receives no more
        expect closed B
        expect says B No quorum
        on X                          # and the arbiter alone is enough to go on
        | 15.44 X is on
        expect serves B within 2s
        | 16.44 B leads term 2
        | 16.45 - primary B, epoch 2 (failover)
        | 16.45 - sync {B}, acks 0
        | 16.45 B has the record of epoch 2 written
        | 16.45 - the record of epoch 2 is committed
        | 16.45 B opens
        | 16.46 B has the address
        | 16.46 - B serves
