# Scenario 21: a moment later: the epoch record is written, not open yet.
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
        off A
        | 1.441 A is off
        | 1.441 - nobody serves
        expect primary B within 2s
        | 2.443 B receives no more
        | 2.445 B leads term 2
        | 2.448 - primary B, epoch 2 (failover)
        | 2.448 - sync {B}, acks 0
+3ms    kill agent B
        | 2.450 B has the record of epoch 2 written
        | 2.451 B agent ends
        expect serves B within 5s
        | 2.451 B dbworker ends
        | 2.551 B agent starts
        | 2.551 B dbworker starts
        | 3.604 B leads term 3
        | 3.607 - primary B, epoch 3 (restart)
        | 3.609 B has the record of epoch 3 written
        | 3.612 - the record of epoch 3 is committed
        | 3.613 B opens
        | 3.619 B has the address
        | 3.619 - B serves
        on A
        | 3.619 A is on
        expect sync A B within 10s
        | 4.026 A server starts to follow
        | 4.049 A receives from B and acknowledges
        | 4.056 B its commits wait for 1 acknowledgement
        | 4.064 - sync {B A}, acks 1
