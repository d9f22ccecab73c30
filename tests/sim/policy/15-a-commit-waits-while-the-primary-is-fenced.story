# Scenario 15: a commit waits for its acknowledgement while the primary is fenced: never OK.
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
        cut B > A                     # no acknowledgement comes back
        | 1.44 - nobody serves
+200ms  mark
        cut A > X
        cut A > B
        expect closed A within 1s
        | 2.47 A server dies, open
        expect serves B within 2s
        | 2.47 A has the address no more
        | 2.60 A leads no more
        | 2.60 B receives no more
        | 2.61 B leads term 2
        | 2.61 - primary B, epoch 2 (failover)
        | 2.61 - sync {B}, acks 0
        | 2.61 B has the record of epoch 2 written
        | 2.61 - the record of epoch 2 is committed
        | 2.62 B opens
        | 2.62 B has the address
        | 2.62 - B serves
        expect no-answers A for 5s
        heal
        expect follows A within 8s
        | 8.11 A server starts to follow
        | 8.11 A receives from B and acknowledges
