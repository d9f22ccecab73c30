# Three data nodes, MySQL: one replica dies. Writes do not wait for it, and it leaves the sync set after its grace.
cluster A B C mysql
        on A B C
        | 0.00 A is on
        | 0.00 B is on
        | 0.00 C is on
        expect sync A B C within 12s
        | 1.00 A leads term 1
        | 1.40 A server starts in place
        | 1.41 B server starts in place
        | 1.41 C server starts in place
        | 1.43 - primary A, epoch 1 (first start)
        | 1.43 - sync {A}, acks 0
        | 1.43 A has the record of epoch 1 written
        | 1.43 B receives from A and acknowledges
        | 1.43 C receives from A and acknowledges
        | 1.43 - the record of epoch 1 is committed
        | 1.43 A opens
        | 1.43 C receives no more
        | 1.44 A its commits wait for 1 acknowledgement
        | 1.44 C receives from A
        | 1.44 A has the address
        | 1.44 - A serves
        | 1.44 - sync {A B}, acks 1
        | 1.45 - sync {A B C}, acks 1
        expect acks 1
+1s     mark
        | 1.45 C receives no more
        | 1.45 C receives from A and acknowledges
        off C
        | 2.45 C is off
        expect sync A B within 3s
        | 3.68 - sync {A B}, acks 1
        expect acks 1
        expect gap 50ms               # B acknowledges all the while
        off B                         # the last one
        | 3.68 B is off
        | 3.68 - nobody serves
        expect closed A within 1s     # no quorum of three: A has nobody to tell it that it may
        | 4.43 A closes
        expect sync A B               # and nobody to change the rule with
        on C                          # a quorum: B is out of the set, and C joins
        | 4.43 C is on
        expect serves A within 3s
        | 4.43 A has the address no more
        | 4.71 - sync {A}, acks 0
        | 4.71 A its commits wait for 0 acknowledgements
        | 4.71 A opens
        | 4.72 A has the address
        | 4.72 - A serves
        expect sync A C within 10s
        | 4.90 C server starts to follow
        | 4.93 C receives from A
        | 4.94 C receives no more
        | 5.08 C receives from A and acknowledges
        | 5.08 A its commits wait for 1 acknowledgement
        | 5.09 - sync {A C}, acks 1
        on B
        | 5.09 B is on
        expect sync A B C within 12s
        | 5.50 B server starts to follow
        | 5.51 B receives from A
        | 5.52 - sync {A C B}, acks 1
        expect changes 0
