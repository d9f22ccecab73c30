# Scenario 22: the new primary dies within seconds of its promotion: nothing blocks the next change.
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
        kill server A
        | 1.441 A server dies, open
        | 1.441 - nobody serves
        expect serves B within 1s
        | 1.442 A has the address no more
        | 1.442 A leads no more
        | 1.443 B receives no more
        | 1.445 B leads term 2
        | 1.448 - primary B, epoch 2 (failover)
        | 1.448 - sync {B}, acks 0
        | 1.449 B has the record of epoch 2 written
        | 1.453 - the record of epoch 2 is committed
        | 1.453 B opens
        | 1.460 B has the address
        | 1.460 - B serves
        expect sync A B within 8s
        | 2.830 A server starts to follow
        | 2.844 A receives from B and acknowledges
        | 2.851 B its commits wait for 1 acknowledgement
        | 2.859 - sync {B A}, acks 1
        mark
        kill server B
        | 2.859 B server dies, open
        | 2.859 - nobody serves
        expect serves A within 1s
        | 2.860 B has the address no more
        | 2.860 B leads no more
        | 2.861 A receives no more
        | 2.863 A leads term 3
        | 2.943 - primary A, epoch 3 (failover)
        | 2.943 - sync {A}, acks 0
        | 2.944 A has the record of epoch 3 written
        | 2.948 - the record of epoch 3 is committed
        | 2.948 A opens
        | 2.955 A has the address
        | 2.955 - A serves
        expect change failover
        expect gap 500ms
        expect sync A B within 8s
        | 3.343 B server starts to follow
        | 3.362 B receives from A and acknowledges
        | 3.364 A its commits wait for 1 acknowledgement
        | 3.372 - sync {A B}, acks 1
        mark
        kill server A
        | 3.372 A server dies, open
        | 3.372 - nobody serves
        expect serves B within 1s
        | 3.373 A has the address no more
        | 3.373 A leads no more
        | 3.374 B receives no more
        | 3.376 B leads term 4
        | 3.396 - primary B, epoch 4 (failover)
        | 3.396 - sync {B}, acks 0
        | 3.398 B has the record of epoch 4 written
        | 3.401 - the record of epoch 4 is committed
        | 3.402 B opens
        | 3.408 B has the address
        | 3.408 - B serves
