# Scenario 34: the epoch record cannot be written on the chosen node: undone there, another takes it.
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
        fails B promote
        kill server A
        | 1.441 A server dies, open
        | 1.441 - nobody serves
        expect serves A within 6s     # the only other: restarted in place
        | 1.442 A has the address no more
        | 1.442 A leads no more
        | 1.443 B receives no more
        | 1.445 B leads term 2
        | 1.448 - primary B, epoch 2 (failover)
        | 1.448 - sync {B}, acks 0
        | 2.808 A server starts to follow
        | 2.824 A receives from B and acknowledges
        | 2.827 - sync {B A}, acks 1
        | 2.827 B leads no more
        | 2.828 A receives no more
        | 2.830 A leads term 3
        | 2.833 - primary A, epoch 3 (failover)
        | 2.835 A has the record of epoch 3 written
        | 2.835 A its commits wait for 1 acknowledgement
        | 2.836 B receives from A and acknowledges
        | 2.838 - the record of epoch 3 is committed
        | 2.838 A opens
        | 2.845 A has the address
        | 2.845 - A serves
        works B
        expect sync A B within 12s
