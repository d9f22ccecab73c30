# Section 5: A hears B no more, a moment later nobody, but is heard. Its wish to drop B from the sync set must not be
# left in the others' logs: B would then be barred by a node that is cut off itself.
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
        cut B > A
        | 1.441 - nobody serves
+900ms  cut X > A
        expect serves B within 5s
        | 3.170 A server dies, open
        | 3.171 A has the address no more
        | 3.190 B receives no more
        | 3.303 A leads no more
        | 4.207 B leads term 2
        | 4.210 - primary B, epoch 2 (failover)
        | 4.210 - sync {B}, acks 0
        | 4.211 B has the record of epoch 2 written
        | 4.215 - the record of epoch 2 is committed
        | 4.215 B opens
        | 4.221 B has the address
        | 4.221 - B serves
        expect serves B for 3s
