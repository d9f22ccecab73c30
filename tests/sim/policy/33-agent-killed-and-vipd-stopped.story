# Scenario 33, cut off: the agent is killed and vipd stopped in the same moment, on a host that no probe reaches. The kernel's own
# lifetime ends the address, at most 1.2 s after the lease.
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
        stays-down A
+1s     cut A | B X
        | 2.44 - nobody serves
        stop vipd A 8s
        kill agent A
        | 2.44 A agent ends
        expect serves B within 3s
        | 3.27 A server dies, open
        | 3.27 A dbworker ends
        | 3.40 B receives no more
        | 3.41 B leads term 2
        | 3.41 - primary B, epoch 2 (failover)
        | 3.41 - sync {B}, acks 0
        | 3.41 B has the record of epoch 2 written
        | 3.41 - the record of epoch 2 is committed
        | 3.42 B opens
        | 3.42 B has the address
        | 3.42 - B serves
        expect serves B for 6s
        | 3.58 A has the address no more
        expect no-address A
