# Scenario 15: a commit waits for its acknowledgement while the primary is fenced: never OK.
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
        cut B > A                     # no acknowledgement comes back
        | 1.441 - nobody serves
+200ms  mark
        cut A > X
        cut A > B
        expect closed A within 1s
        | 2.470 A server dies, open
        expect serves B within 2s
        | 2.471 A has the address no more
        | 2.603 A leads no more
        | 2.605 B receives no more
        | 2.607 B leads term 2
        | 2.610 - primary B, epoch 2 (failover)
        | 2.610 - sync {B}, acks 0
        | 2.611 B has the record of epoch 2 written
        | 2.615 - the record of epoch 2 is committed
        | 2.615 B opens
        | 2.622 B has the address
        | 2.622 - B serves
        expect no-answers A for 5s
        heal
        expect follows A within 8s
        | 8.108 A server starts to follow
        | 8.113 A receives from B and acknowledges
