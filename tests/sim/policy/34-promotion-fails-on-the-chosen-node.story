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
        | 1.435 A its commits wait for 1 acknowledgement
        | 1.438 A has the address
        | 1.438 - A serves
        | 1.443 - sync {A B}, acks 1
        fails B promote
        kill server A
        | 1.443 A server dies, open
        | 1.443 - nobody serves
        expect serves A within 6s     # the only other: restarted in place
        | 1.444 A has the address no more
        | 1.444 A leads no more
        | 1.444 B receives no more
        | 1.446 B leads term 2
        | 1.450 - primary B, epoch 2 (failover)
        | 1.450 - sync {B}, acks 0
        | 2.810 A server starts to follow
        | 2.826 A receives from B and acknowledges
        | 2.829 - sync {B A}, acks 1
        | 2.829 B leads no more
        | 2.830 A receives no more
        | 2.832 A leads term 3
        | 2.835 - primary A, epoch 3 (failover)
        | 2.837 A has the record of epoch 3 written
        | 2.837 A its commits wait for 1 acknowledgement
        | 2.838 B receives from A and acknowledges
        | 2.840 - the record of epoch 3 is committed
        | 2.840 A opens
        | 2.847 A has the address
        | 2.847 - A serves
        works B
        expect sync A B within 12s
