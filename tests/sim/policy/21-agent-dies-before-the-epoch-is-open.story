# Scenario 21: a moment later: the epoch record is written, not open yet.
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
        off A
        | 1.44 A is off
        | 1.44 - nobody serves
        expect primary B within 2s
        | 2.44 B receives no more
        | 2.44 B leads term 2
        | 2.45 - primary B, epoch 2 (failover)
        | 2.45 - sync {B}, acks 0
+3ms    kill agent B
        | 2.45 B has the record of epoch 2 written
        | 2.45 B agent ends
        expect serves B within 5s
        | 2.45 B dbworker ends
        | 2.55 B agent starts
        | 2.55 B dbworker starts
        | 3.60 B leads term 3
        | 3.61 - primary B, epoch 3 (restart)
        | 3.61 B has the record of epoch 3 written
        | 3.61 - the record of epoch 3 is committed
        | 3.61 B opens
        | 3.62 B has the address
        | 3.62 - B serves
        on A
        | 3.62 A is on
        expect sync A B within 10s
        | 4.03 A server starts to follow
        | 4.05 A receives from B and acknowledges
        | 4.06 B its commits wait for 1 acknowledgement
        | 4.07 - sync {B A}, acks 1
