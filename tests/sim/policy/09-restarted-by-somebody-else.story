# Nobody sees the primary's server die: it is restarted by hand while its dbworker is away. What it holds and nobody
# acknowledged must not be read there before the replica has it.
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
        replication to B 300ms
+1s     kill worker A
        | 2.441 A dbworker ends
        restart A
        | 2.441 A server dies, open
        | 2.441 A server starts in place
        | 2.441 - nobody serves
        expect serves any within 3s
        | 2.461 A dbworker starts
        | 2.473 A has the address no more
        | 2.473 A leads no more
        | 2.473 B receives no more
        | 2.475 B leads term 2
        | 2.479 - primary B, epoch 2 (failover)
        | 2.479 - sync {B}, acks 0
        | 2.480 B has the record of epoch 2 written
        | 2.484 - the record of epoch 2 is committed
        | 2.484 B opens
        | 2.490 B has the address
        | 2.490 - B serves
        expect serves B
        expect waits A set aside      # its tail was kept, by that hand
