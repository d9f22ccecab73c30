# Scenario 33: agent and vipd killed in the same moment on a living host: the kernel's lifetime ends the address.
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
        kill agent A
        | 1.44 A agent ends
        kill vipd A
        | 1.44 A vipd ends
        expect serves B within 3s
        | 1.54 A vipd starts
        | 1.54 A has the address no more
        | 1.54 - nobody serves
        | 2.23 A dbworker ends
        | 2.23 A closes
        | 2.44 B receives no more
        | 2.44 B leads term 2
        | 2.45 - primary B, epoch 2 (failover)
        | 2.45 - sync {B}, acks 0
        | 2.45 B has the record of epoch 2 written
        | 2.45 - the record of epoch 2 is committed
        | 2.45 B opens
        | 2.46 B has the address
        | 2.46 - B serves
