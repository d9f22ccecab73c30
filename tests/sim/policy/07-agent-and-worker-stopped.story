# Scenario 7: nobody is left to fence: the server stays open, and can acknowledge nothing.
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
+1s     stop agent A 6s
        stop worker A 6s
        expect serves B within 2s
        | 3.302 A has the address no more
        | 3.302 - nobody serves
        | 3.405 B receives no more
        | 3.407 B leads term 2
        | 3.410 - primary B, epoch 2 (failover)
        | 3.410 - sync {B}, acks 0
        | 3.411 B has the record of epoch 2 written
        | 3.415 - the record of epoch 2 is committed
        | 3.415 B opens
        | 3.422 B has the address
        | 3.422 - B serves
        expect open A
        mark
        expect no-answers A for 4s
        expect closed A within 2s
        | 8.441 A leads no more
        | 8.441 A dbworker ends
        | 8.462 A dbworker starts
        | 8.771 A server dies, open
        expect follows A within 5s
        | 9.171 A server starts to follow
        | 9.175 A receives from B and acknowledges
