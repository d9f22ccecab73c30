# Scenario 22: the new primary dies within seconds of its promotion: nothing blocks the next change.
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
        kill server A
        | 1.44 A server dies, open
        | 1.44 B receives no more
        | 1.44 - nobody serves
        expect serves B within 1s
        | 1.44 A has the address no more
        | 1.44 A leads no more
        | 1.44 B leads term 2
        | 1.45 - primary B, epoch 2 (failover)
        | 1.45 - sync {B}, acks 0
        | 1.45 B has the record of epoch 2 written
        | 1.45 - the record of epoch 2 is committed
        | 1.45 B opens
        | 1.46 B has the address
        | 1.46 - B serves
        expect sync A B within 8s
        | 2.83 A server starts to follow
        | 2.84 A receives from B and acknowledges
        | 2.85 B its commits wait for 1 acknowledgement
        | 2.86 - sync {B A}, acks 1
        mark
        kill server B
        | 2.86 A receives no more
        | 2.86 B server dies, open
        | 2.86 - nobody serves
        expect serves A within 1s
        | 2.86 B has the address no more
        | 2.86 B leads no more
        | 2.86 A leads term 3
        | 2.94 - primary A, epoch 3 (failover)
        | 2.94 - sync {A}, acks 0
        | 2.94 A has the record of epoch 3 written
        | 2.95 - the record of epoch 3 is committed
        | 2.95 A opens
        | 2.95 A has the address
        | 2.95 - A serves
        expect change failover
        expect gap 500ms
        expect sync A B within 8s
        | 3.34 B server starts to follow
        | 3.36 B receives from A and acknowledges
        | 3.36 A its commits wait for 1 acknowledgement
        | 3.37 - sync {A B}, acks 1
        mark
        kill server A
        | 3.37 A server dies, open
        | 3.37 B receives no more
        | 3.37 - nobody serves
        expect serves B within 1s
        | 3.37 A has the address no more
        | 3.37 A leads no more
        | 3.38 B leads term 4
        | 3.40 - primary B, epoch 4 (failover)
        | 3.40 - sync {B}, acks 0
        | 3.40 B has the record of epoch 4 written
        | 3.40 - the record of epoch 4 is committed
        | 3.40 B opens
        | 3.41 B has the address
        | 3.41 - B serves
