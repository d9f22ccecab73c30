# Scenario 7: nobody is left to fence: the server stays open, and can acknowledge nothing.
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
+1s     stop agent A 6s
        stop worker A 6s
        expect serves B within 2s
        | 3.30 A has the address no more
        | 3.30 - nobody serves
        | 3.40 B receives no more
        | 3.41 B leads term 2
        | 3.41 - primary B, epoch 2 (failover)
        | 3.41 - sync {B}, acks 0
        | 3.41 B has the record of epoch 2 written
        | 3.41 - the record of epoch 2 is committed
        | 3.42 B opens
        | 3.42 B has the address
        | 3.42 - B serves
        expect open A
        mark
        expect no-answers A for 4s
        expect closed A within 2s
        | 8.44 A leads no more
        | 8.44 A dbworker ends
        | 8.46 A dbworker starts
        | 8.77 A server dies, open
        expect follows A within 5s
        | 9.17 A server starts to follow
        | 9.17 A receives from B and acknowledges
