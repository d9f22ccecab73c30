# Scenario 8: vipd is stopped for good: the address ends with the kernel's lifetime, and the other node has one that works.
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
+1s     stop vipd A 1000s
        expect serves B within 6s
        | 3.584 A has the address no more
        | 3.584 - nobody serves
        | 4.001 A closes
        | 4.803 A leads no more
        | 4.804 B receives no more
        | 4.806 B leads term 2
        | 4.809 - primary B, epoch 2 (failover)
        | 4.811 A its commits wait for 0 acknowledgements
        | 4.811 B has the record of epoch 2 written
        | 4.811 B its commits wait for 1 acknowledgement
        | 4.811 A receives from B and acknowledges
        | 4.814 - the record of epoch 2 is committed
        | 4.815 B opens
        | 4.821 B has the address
        | 4.821 - B serves
        expect serves B for 5s
        expect no-address A
