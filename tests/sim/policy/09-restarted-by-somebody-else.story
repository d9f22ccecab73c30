# Nobody sees the primary's server die: it is restarted by hand while its dbworker is away. What it holds and nobody
# acknowledged must not be read there before the replica has it.
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
        replication to B 300ms
+1s     kill worker A
        | 2.44 A dbworker ends
        restart A
        | 2.44 A server dies, open
        | 2.44 A server starts in place
        | 2.44 - nobody serves
        expect serves any within 3s
        | 2.46 A dbworker starts
        | 2.47 A has the address no more
        | 2.47 A leads no more
        | 2.47 B receives no more
        | 2.48 B leads term 2
        | 2.48 - primary B, epoch 2 (failover)
        | 2.48 - sync {B}, acks 0
        | 2.48 B has the record of epoch 2 written
        | 2.48 - the record of epoch 2 is committed
        | 2.48 B opens
        | 2.49 B has the address
        | 2.49 - B serves
        expect serves B
        expect waits A set aside      # its tail was kept, by that hand
