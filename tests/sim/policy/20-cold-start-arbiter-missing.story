# Scenario 20: the arbiter is missing.
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
+1s     on B
        | 2.44 B is on
+500ms  on A
        | 2.94 A is on
        expect serves any within 6s
        | 4.15 A leads term 3
        | 4.55 B server starts in place
        | 4.65 A server starts in place
        | 4.67 - primary A, epoch 3 (restart)
        | 4.67 - sync {A}, acks 0
        | 4.67 A has the record of epoch 3 written
        | 4.67 B receives from A and acknowledges
        | 4.67 - the record of epoch 3 is committed
        | 4.67 A opens
        | 4.67 A its commits wait for 1 acknowledgement
        | 4.68 A has the address
        | 4.68 - A serves
        on X
        | 4.68 X is on
        expect sync A B within 10s
        | 4.68 - sync {A B}, acks 1
