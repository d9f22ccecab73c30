# Scenario 33: agent and vipd killed in the same moment on a living host: the kernel's lifetime ends the address.
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
        stays-down A
        kill agent A
        | 1.441 A agent ends
        kill vipd A
        | 1.441 A vipd ends
        expect serves B within 3s
        | 1.541 A vipd starts
        | 1.541 A has the address no more
        | 1.541 - nobody serves
        | 2.235 A dbworker ends
        | 2.235 A closes
        | 2.443 B receives no more
        | 2.445 B leads term 2
        | 2.448 - primary B, epoch 2 (failover)
        | 2.448 - sync {B}, acks 0
        | 2.450 B has the record of epoch 2 written
        | 2.453 - the record of epoch 2 is committed
        | 2.453 B opens
        | 2.460 B has the address
        | 2.460 - B serves
