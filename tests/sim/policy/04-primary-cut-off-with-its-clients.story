# Scenarios 4 and 5: the primary is partitioned from everybody, its clients with it; then the partition heals.
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
+1s     mark
        cut A | B X
        | 2.441 - nobody serves
+900ms  expect no-address A           # gone before the new lease begins
        | 3.270 A server dies, open
        | 3.271 A has the address no more
        | 3.271 A leads no more
        expect closed A
        expect serves B within 600ms
        | 3.405 B receives no more
        | 3.407 B leads term 2
        | 3.410 - primary B, epoch 2 (failover)
        | 3.410 - sync {B}, acks 0
        | 3.411 B has the record of epoch 2 written
        | 3.415 - the record of epoch 2 is committed
        | 3.415 B opens
        | 3.422 B has the address
        | 3.422 - B serves
        mark
        expect no-answers A for 5s
        heal
        expect follows A within 6s    # what it had alone, nobody was told
        | 8.909 A server starts to follow
        | 8.913 A receives from B and acknowledges
        expect sync A B within 8s
        | 8.920 B its commits wait for 1 acknowledgement
        | 8.931 - sync {B A}, acks 1
        expect no-answers A
        expect changes 0
