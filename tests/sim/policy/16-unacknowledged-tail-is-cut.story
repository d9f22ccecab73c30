# Scenario 16: the crashed primary holds a transaction that nobody acknowledged: cut, then it follows.
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
        cut A | B
        | 1.44 - nobody serves
+100ms  mark
        off A
        | 1.54 A is off
        heal
        expect serves B within 2s
        | 2.94 B receives no more
        | 2.94 B leads term 2
        | 2.95 - primary B, epoch 2 (failover)
        | 2.95 - sync {B}, acks 0
        | 2.95 B has the record of epoch 2 written
        | 2.95 - the record of epoch 2 is committed
        | 2.95 B opens
        | 2.96 B has the address
        | 2.96 - B serves
        on A
        | 2.96 A is on
        expect follows A within 5s
        | 3.37 A server starts to follow
        | 3.39 A receives from B and acknowledges
        expect sync A B within 8s
        | 3.39 B its commits wait for 1 acknowledgement
        | 3.40 - sync {B A}, acks 1
        expect no-answers A
