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
        | 1.435 A its commits wait for 1 acknowledgement
        | 1.438 A has the address
        | 1.438 - A serves
        | 1.443 - sync {A B}, acks 1
        off A
        | 1.443 A is off
        | 1.443 - nobody serves
        expect primary B within 2s
        | 2.444 B receives no more
        | 2.446 B leads term 2
        | 2.450 - primary B, epoch 2 (failover)
        | 2.450 - sync {B}, acks 0
        kill agent B
        | 2.450 B agent ends
        expect serves B within 5s
        | 2.450 B dbworker ends
        | 2.550 B agent starts
        | 2.550 B dbworker starts
        | 3.603 B leads term 3
        | 3.606 - primary B, epoch 3 (restart)
        | 3.608 B has the record of epoch 3 written
        | 3.611 - the record of epoch 3 is committed
        | 3.612 B opens
        | 3.618 B has the address
        | 3.618 - B serves
