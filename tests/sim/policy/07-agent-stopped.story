# Scenario 7: SIGSTOP of the agent, longer than E; when it runs again, its lease is void.
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
+1s     mark
        stop agent A 6s
+900ms  expect closed A
        | 3.23 A closes
        | 3.23 - nobody serves
        | 3.30 A has the address no more
        expect no-address A
        expect serves B within 1s
        | 3.40 B receives no more
        | 3.41 B leads term 2
        | 3.41 - primary B, epoch 2 (failover)
        | 3.41 - sync {B}, acks 0
        | 3.41 B has the record of epoch 2 written
        | 3.41 - the record of epoch 2 is committed
        | 3.42 B opens
        | 3.42 B has the address
        | 3.42 - B serves
        expect serves B for 8s
        | 8.44 A leads no more
        | 8.44 A its commits wait for 0 acknowledgements
        | 8.44 A receives from B and acknowledges
        | 8.45 B its commits wait for 1 acknowledgement
        | 8.46 - sync {B A}, acks 1
        expect follows A within 3s
        expect changes 1
