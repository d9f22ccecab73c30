# Scenario 20: the replica is missing: the primary opens alone once the change of the rule is committed.
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
+1s     on X A
        | 2.441 A is on
        | 2.441 X is on
        expect serves A within 6s
        | 3.445 A leads term 2
        | 3.945 A server starts in place
        | 3.955 - primary A, epoch 2 (restart)
        | 3.955 - sync {A}, acks 0
        | 3.957 A has the record of epoch 2 written
        | 3.960 - the record of epoch 2 is committed
        | 3.961 A opens
        | 3.967 A has the address
        | 3.967 - A serves
        expect sync A
        on B
        | 3.967 B is on
        expect sync A B within 10s
        | 4.371 B server starts to follow
        | 4.371 B acknowledges no more
        | 4.394 B receives from A and acknowledges
        | 4.395 A its commits wait for 1 acknowledgement
        | 4.401 - sync {A B}, acks 1
