# Scenario 8: vipd is stopped for good: the address ends with the kernel's lifetime, and the other node has one that works.
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
+1s     stop vipd A 1000s
        expect serves B within 6s
        | 3.58 A has the address no more
        | 3.58 - nobody serves
        | 4.00 A closes
        | 4.80 A leads no more
        | 4.80 B receives no more
        | 4.81 B leads term 2
        | 4.81 - primary B, epoch 2 (failover)
        | 4.81 A its commits wait for 0 acknowledgements
        | 4.81 B has the record of epoch 2 written
        | 4.81 B its commits wait for 1 acknowledgement
        | 4.81 A receives from B and acknowledges
        | 4.81 - the record of epoch 2 is committed
        | 4.81 B opens
        | 4.82 B has the address
        | 4.82 - B serves
        expect serves B for 5s
        expect no-address A
