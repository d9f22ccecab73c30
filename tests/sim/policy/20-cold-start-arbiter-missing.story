# Scenario 20: the arbiter is missing.
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
        off A B X
        | 1.441 A is off
        | 1.441 B is off
        | 1.441 X is off
        | 1.441 - nobody serves
+1s     on B
        | 2.441 B is on
+500ms  on A
        | 2.941 A is on
        expect serves any within 6s
        | 4.147 B leads term 3
        | 4.549 A server starts in place
        | 4.565 B leads no more
        | 4.568 A leads term 4
        | 4.571 - primary A, epoch 4 (restart)
        | 4.571 - sync {A}, acks 0
        | 4.573 A has the record of epoch 4 written
        | 4.575 - the record of epoch 4 is committed
        | 4.576 A opens
        | 4.583 A has the address
        | 4.583 - A serves
        on X
        | 4.583 X is on
        expect sync A B within 10s
        | 4.648 B server starts in place
        | 4.648 B acknowledges no more
        | 4.654 B receives from A and acknowledges
        | 4.656 A its commits wait for 1 acknowledgement
        | 4.662 - sync {A B}, acks 1
