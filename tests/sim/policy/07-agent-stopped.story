# Scenario 7: SIGSTOP of the agent, longer than E; when it runs again, its lease is void.
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
        stop agent A 6s
+900ms  expect closed A
        | 3.234 A closes
        | 3.234 - nobody serves
        | 3.302 A has the address no more
        expect no-address A
        expect serves B within 1s
        | 3.405 B receives no more
        | 3.407 B leads term 2
        | 3.410 - primary B, epoch 2 (failover)
        | 3.410 - sync {B}, acks 0
        | 3.411 B has the record of epoch 2 written
        | 3.415 - the record of epoch 2 is committed
        | 3.415 B opens
        | 3.422 B has the address
        | 3.422 - B serves
        expect serves B for 8s
        | 8.441 A leads no more
        | 8.442 A its commits wait for 0 acknowledgements
        | 8.443 A receives from B and acknowledges
        | 8.450 B its commits wait for 1 acknowledgement
        | 8.458 - sync {B A}, acks 1
        expect follows A within 3s
        expect changes 1
