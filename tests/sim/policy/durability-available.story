# durability = "available": commits wait for nobody. The primary dies, and the replica that lags a little takes over; what
# it had not received is lost, and the old primary comes back with that alone: set aside.
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
+2s     expect sync A
        expect says A commits wait for nobody, and a failover may lose acknowledged writes
        replication to B 300ms
+2s     mark
        off A
        | 5.44 A is off
        | 5.44 - nobody serves
        expect serves B within 3s
        | 6.40 B receives no more
        | 6.41 B leads term 2
        | 6.41 - primary B, epoch 2 (failover)
        | 6.41 - sync {B}, acks 0
        | 6.41 B has the record of epoch 2 written
        | 6.41 - the record of epoch 2 is committed
        | 6.42 B opens
        | 6.42 B has the address
        | 6.42 - B serves
        expect change failover
        on A
        | 6.42 A is on
+3s     expect waits A it holds transactions that the primary B lacks
        | 6.83 A server starts to follow
        expect serves B
