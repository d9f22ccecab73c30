# Scenario 34: the epoch record cannot be written on the chosen node: undone there, another takes it.
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
        fails B promote
        kill server A
        | 1.44 A server dies, open
        | 1.44 B receives no more
        | 1.44 - nobody serves
        expect serves A within 6s     # the only other: it follows, joins the set and takes over
        | 1.44 A has the address no more
        | 1.44 A leads no more
        | 1.44 B leads term 2
        | 1.45 - primary B, epoch 2 (failover)
        | 1.45 - sync {B}, acks 0
        | 2.81 A server starts to follow
        | 2.82 A receives from B and acknowledges
        | 2.83 - sync {B A}, acks 1
        | 2.83 B leads no more
        | 2.83 A receives no more
        | 2.83 A leads term 3
        | 2.83 - primary A, epoch 3 (failover)
        | 2.83 A has the record of epoch 3 written
        | 2.84 A its commits wait for 1 acknowledgement
        | 2.84 B receives from A and acknowledges
        | 2.84 - the record of epoch 3 is committed
        | 2.84 A opens
        | 2.85 A has the address
        | 2.85 - A serves
        works B
        expect sync A B within 12s
