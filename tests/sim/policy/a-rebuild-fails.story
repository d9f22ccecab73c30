# What an operator asked for is not tried again by itself; what is done by itself is, later and later.
cluster A B X rejoin-auto
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
        rebuilds fail
        rebuild B
        expect outcome failed within 5s
        | 1.44 - B is to be rebuilt
        | 1.51 - sync {A}, acks 0
        | 1.51 A its commits wait for 0 acknowledgements
        | 1.51 B receives no more
        | 1.51 B receives from A
        | 2.43 B is rebuilt from A
        | 2.43 B dbworker ends
        | 2.46 B dbworker starts
        | 2.46 B its rebuild ends
        | 2.47 B receives no more
        | 2.47 - request: failed: the donor does not answer
        | 2.47 - B is no longer rebuilt
        expect sync A B within 10s
        | 2.68 B receives from A and acknowledges
        | 2.68 A its commits wait for 1 acknowledgement
        | 2.69 - sync {A B}, acks 1
+1s     cut A | B X
        | 3.69 - nobody serves
        expect serves B within 2s
        | 4.47 A server dies, open
        | 4.47 A has the address no more
        | 4.47 A leads no more
        | 4.60 B receives no more
        | 4.61 B leads term 2
        | 4.61 - primary B, epoch 2 (failover)
        | 4.61 - sync {B}, acks 0
        | 4.61 B has the record of epoch 2 written
        | 4.61 - the record of epoch 2 is committed
        | 4.62 B opens
        | 4.62 B has the address
        | 4.62 - B serves
        errant A
        heal
        expect aside A within 5s
        | 5.02 A server starts to follow
        | 6.03 - A is to be rebuilt
+5s     expect aside A
        | 6.03 A is rebuilt from B
        | 6.03 A dbworker ends
        | 6.06 A dbworker starts
        | 6.06 A its rebuild ends
        rebuilds work
        expect no-aside A within 20s
        | 16.06 A is rebuilt from B
        | 16.06 A dbworker ends
        | 16.10 A server dies
        | 16.60 A dbworker starts
        | 16.60 A its rebuild ends
        | 16.60 A server starts in place
        | 16.60 - A is no longer rebuilt
        expect sync B A within 10s
        | 16.61 A receives from B and acknowledges
        | 16.61 B its commits wait for 1 acknowledgement
        | 16.62 - sync {B A}, acks 1
