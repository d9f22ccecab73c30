# Section 5: A hears B no more, a moment later nobody, but is heard. Its wish to drop B from the sync set must not be
# left in the others' logs: B would then be barred by a node that is cut off itself.
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
        cut B > A
        | 1.44 - nobody serves
+900ms  cut X > A
        expect serves B within 5s
        | 3.17 A server dies, open
        | 3.17 B receives no more
        | 3.17 A has the address no more
        | 3.30 A leads no more
        | 4.21 B leads term 2
        | 4.21 - primary B, epoch 2 (failover)
        | 4.21 - sync {B}, acks 0
        | 4.21 B has the record of epoch 2 written
        | 4.21 - the record of epoch 2 is committed
        | 4.22 B opens
        | 4.22 B has the address
        | 4.22 - B serves
        expect serves B for 3s
