# Scenario 2: all processes and the link at once: failover after E.
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
+2s     mark
        off A
        | 3.441 A is off
        | 3.441 - nobody serves
        expect primary B within 1500ms
        | 4.405 B receives no more
        | 4.407 B leads term 2
        | 4.410 - primary B, epoch 2 (failover)
        | 4.410 - sync {B}, acks 0
        expect sync B                 # in the same entry: A's return needs no second detection
        expect serves B within 100ms
        | 4.411 B has the record of epoch 2 written
        | 4.415 - the record of epoch 2 is committed
        | 4.415 B opens
        | 4.422 B has the address
        | 4.422 - B serves
+2s     on A
        | 6.422 A is on
        expect follows A within 5s
        | 6.909 A server starts to follow
        | 6.912 A receives from B and acknowledges
        expect sync A B within 8s
        | 6.918 B its commits wait for 1 acknowledgement
        | 6.929 - sync {B A}, acks 1
        expect changes 1
        expect gap 1500ms
