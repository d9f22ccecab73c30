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
        | 1.435 A its commits wait for 1 acknowledgement
        | 1.438 A has the address
        | 1.438 - A serves
        | 1.443 - sync {A B}, acks 1
        kill server A
        | 1.443 A server dies, open
        | 1.443 - nobody serves
        expect serves B within 1s
        | 1.444 A has the address no more
        | 1.444 A leads no more
        | 1.444 B receives no more
        | 1.446 B leads term 2
        | 1.450 - primary B, epoch 2 (failover)
        | 1.450 - sync {B}, acks 0
        | 1.451 B has the record of epoch 2 written
        | 1.454 - the record of epoch 2 is committed
        | 1.455 B opens
        | 1.461 B has the address
        | 1.461 - B serves
        expect sync A B within 8s
        | 2.831 A server starts to follow
        | 2.846 A receives from B and acknowledges
        | 2.853 B its commits wait for 1 acknowledgement
        | 2.861 - sync {B A}, acks 1
        mark
        kill server B
        | 2.861 B server dies, open
        | 2.861 - nobody serves
        expect serves A within 1s
        | 2.862 B has the address no more
        | 2.862 B leads no more
        | 2.863 A receives no more
        | 2.865 A leads term 3
        | 2.955 - primary A, epoch 3 (failover)
        | 2.955 - sync {A}, acks 0
        | 2.956 A has the record of epoch 3 written
        | 2.959 - the record of epoch 3 is committed
        | 2.960 A opens
        | 2.966 A has the address
        | 2.966 - A serves
        expect change failover
        expect gap 500ms
        expect sync A B within 8s
        | 3.355 B server starts to follow
        | 3.364 B receives from A and acknowledges
        | 3.371 A its commits wait for 1 acknowledgement
        | 3.379 - sync {A B}, acks 1
        mark
        kill server A
        | 3.379 A server dies, open
        | 3.379 - nobody serves
        expect serves B within 1s
        | 3.380 A has the address no more
        | 3.380 A leads no more
        | 3.381 B receives no more
        | 3.383 B leads term 4
        | 3.395 - primary B, epoch 4 (failover)
        | 3.395 - sync {B}, acks 0
        | 3.396 B has the record of epoch 4 written
        | 3.400 - the record of epoch 4 is committed
        | 3.400 B opens
        | 3.407 B has the address
        | 3.407 - B serves
