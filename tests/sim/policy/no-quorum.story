# No quorum: the primary is fenced before anybody else could be, nothing is lost, and each status says who is missing.
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
        cut A | B X
        | 2.44 - nobody serves
        cut B | X
        expect closed A within 1s
        | 3.27 A server dies, open
        expect no-address A within 100ms
        | 3.27 A has the address no more
        expect serves none for 20s
        | 3.27 A leads no more
        | 6.45 B receives no more
        expect says A No quorum
        expect says A Missing: B X
        expect says B Missing: A X
        expect changes 0
        expect term-growth 0
        heal
        expect serves any within 5s
        | 23.31 B leads term 2
        | 23.31 - primary B, epoch 2 (failover)
        | 23.31 - sync {B}, acks 0
        | 23.31 B has the record of epoch 2 written
        | 23.31 - the record of epoch 2 is committed
        | 23.32 B opens
        | 23.32 B has the address
        | 23.32 - B serves
        expect sync A B within 8s
        | 23.71 A server starts to follow
        | 23.71 A receives from B and acknowledges
        | 23.72 B its commits wait for 1 acknowledgement
        | 23.73 - sync {B A}, acks 1
