# Scenario 2: all processes and the link at once: failover after E.
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
+2s     mark
        off A
        | 3.44 A is off
        | 3.44 - nobody serves
        expect primary B within 1500ms
        | 4.40 B receives no more
        | 4.41 B leads term 2
        | 4.41 - primary B, epoch 2 (failover)
        | 4.41 - sync {B}, acks 0
        expect sync B                 # in the same entry: A's return needs no second detection
        expect serves B within 100ms
        | 4.41 B has the record of epoch 2 written
        | 4.41 - the record of epoch 2 is committed
        | 4.42 B opens
        | 4.42 B has the address
        | 4.42 - B serves
+2s     on A
        | 6.42 A is on
        expect follows A within 5s
        | 6.91 A server starts to follow
        | 6.91 A receives from B and acknowledges
        expect sync A B within 8s
        | 6.92 B its commits wait for 1 acknowledgement
        | 6.93 - sync {B A}, acks 1
        expect changes 1
        expect gap 1500ms
