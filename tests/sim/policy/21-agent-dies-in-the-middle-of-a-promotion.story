# Scenario 21: the agent restarts in the middle of a promotion: it is finished or undone.
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
        kill agent B
        | 2.448 B agent ends
        expect serves B within 5s
        | 2.448 B dbworker ends
        | 2.548 B agent starts
        | 2.548 B dbworker starts
        | 3.601 B leads term 3
        | 3.604 - primary B, epoch 3 (restart)
        | 3.606 B has the record of epoch 3 written
        | 3.609 - the record of epoch 3 is committed
        | 3.610 B opens
        | 3.616 B has the address
        | 3.616 - B serves
