# Section 5, raising k: what was acknowledged before the rule was in force is on its way to the replica for 300 ms more:
# it is counted on only once it has the end of the log of that moment.
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
        off B
        | 1.441 B is off
        | 1.441 - nobody serves
        expect sync A within 3s
        | 2.605 - sync {A}, acks 0
        replication to B 300ms
        on B
        | 2.605 B is on
        expect sync A B within 10s
        | 2.606 A its commits wait for 0 acknowledgements
        | 2.606 - A serves
        | 3.104 B server starts to follow
        | 3.104 B acknowledges no more
        | 3.114 B receives from A and acknowledges
        | 3.421 A its commits wait for 1 acknowledgement
        | 4.117 - sync {A B}, acks 1
        mark
        off A
        | 4.117 A is off
        | 4.117 - nobody serves
        expect serves B within 3s
        | 5.118 B receives no more
        | 5.120 B leads term 2
        | 5.124 - primary B, epoch 2 (failover)
        | 5.124 - sync {B}, acks 0
        | 5.125 B has the record of epoch 2 written
        | 5.128 - the record of epoch 2 is committed
        | 5.129 B opens
        | 5.135 B has the address
        | 5.135 - B serves
