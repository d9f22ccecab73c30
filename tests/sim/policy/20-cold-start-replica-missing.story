# Scenario 20: the replica is missing: the primary opens alone once the change of the rule is committed.
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
        off A B X
        | 1.44 A is off
        | 1.44 B is off
        | 1.44 X is off
        | 1.44 - nobody serves
+1s     on X A
        | 2.44 A is on
        | 2.44 X is on
        expect serves A within 6s
        | 3.44 A leads term 2
        | 3.95 A server starts in place
        | 3.96 - primary A, epoch 2 (restart)
        | 3.96 - sync {A}, acks 0
        | 3.96 A has the record of epoch 2 written
        | 3.96 - the record of epoch 2 is committed
        | 3.96 A opens
        | 3.97 A has the address
        | 3.97 - A serves
        expect sync A
        on B
        | 3.97 B is on
        expect sync A B within 10s
        | 4.37 B server starts to follow
        | 4.39 B receives from A and acknowledges
        | 4.40 A its commits wait for 1 acknowledgement
        | 4.40 - sync {A B}, acks 1
