# Section 5, raising k: what was acknowledged before the rule was in force is on its way to the replica for 300 ms more:
# it is counted on only once it has the end of the log of that moment.
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
        off B
        | 1.44 B is off
        | 1.44 - nobody serves
        expect sync A within 3s
        | 2.61 - sync {A}, acks 0
        replication to B 300ms
        on B
        | 2.61 B is on
        expect sync A B within 10s
        | 2.61 A its commits wait for 0 acknowledgements
        | 2.61 - A serves
        | 3.10 B server starts to follow
        | 3.11 B receives from A and acknowledges
        | 3.42 A its commits wait for 1 acknowledgement
        | 4.12 - sync {A B}, acks 1
        mark
        off A
        | 4.12 A is off
        | 4.12 - nobody serves
        expect serves B within 3s
        | 5.12 B receives no more
        | 5.12 B leads term 2
        | 5.12 - primary B, epoch 2 (failover)
        | 5.12 - sync {B}, acks 0
        | 5.13 B has the record of epoch 2 written
        | 5.13 - the record of epoch 2 is committed
        | 5.13 B opens
        | 5.14 B has the address
        | 5.14 - B serves
