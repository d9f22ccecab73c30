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
+3ms    kill agent B
        | 2.451 B has the record of epoch 2 written
        | 2.453 B agent ends
        expect serves B within 5s
        | 2.453 B dbworker ends
        | 2.553 B agent starts
        | 2.553 B dbworker starts
        | 3.606 B leads term 3
        | 3.609 - primary B, epoch 3 (restart)
        | 3.611 B has the record of epoch 3 written
        | 3.614 - the record of epoch 3 is committed
        | 3.614 B opens
        | 3.621 B has the address
        | 3.621 - B serves
        on A
        | 3.621 A is on
        expect sync A B within 10s
        | 4.027 A server starts to follow
        | 4.050 A receives from B and acknowledges
        | 4.057 B its commits wait for 1 acknowledgement
        | 4.068 - sync {B A}, acks 1
