# Scenario 34, 8: the kernel refuses the address on the new primary's host: back to where it can be had.
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
        address B refused
        kill server A
        | 1.441 A server dies, open
        | 1.441 - nobody serves
        expect serves A within 12s
        | 1.442 A has the address no more
        | 1.442 A leads no more
        | 1.443 B receives no more
        | 1.445 B leads term 2
        | 1.448 - primary B, epoch 2 (failover)
        | 1.448 - sync {B}, acks 0
        | 1.449 B has the record of epoch 2 written
        | 1.453 - the record of epoch 2 is committed
        | 1.453 B opens
        | 2.830 A server starts to follow
        | 2.844 A receives from B and acknowledges
        | 2.851 B its commits wait for 1 acknowledgement
        | 2.859 - sync {B A}, acks 1
        | 2.860 B closes
        | 2.860 B leads no more
        | 2.861 A receives no more
        | 2.863 A leads term 3
        | 2.881 - primary A, epoch 3 (failover)
        | 2.882 B its commits wait for 0 acknowledgements
        | 2.882 A has the record of epoch 3 written
        | 2.883 A its commits wait for 1 acknowledgement
        | 2.883 B receives from A and acknowledges
        | 2.886 - the record of epoch 3 is committed
        | 2.886 A opens
        | 2.893 A has the address
        | 2.893 - A serves
        expect no-address B
