# Scenario 7: the agent is killed and does not come back: address and permission end with the lease.
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
        stays-down A
        kill agent A
        | 2.441 A agent ends
+900ms  expect closed A
        | 3.234 A dbworker ends
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
