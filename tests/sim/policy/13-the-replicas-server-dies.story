# Scenario 13: only the replica's server dies: it is started in place, for it is a member of the sync set; writes go on.
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
+1s     mark
        kill server B
        | 2.441 B server dies
        | 2.441 - nobody serves
        expect serves A within 300ms
        | 2.505 - sync {A}, acks 0
        | 2.506 A its commits wait for 0 acknowledgements
        | 2.506 - A serves
        expect up B within 1s
        | 2.842 B server starts in place
        | 2.842 B acknowledges no more
        expect in-place B
        expect sync A B within 8s
        | 2.864 B receives from A and acknowledges
        | 2.866 A its commits wait for 1 acknowledgement
        | 2.877 - sync {A B}, acks 1
        expect gap 300ms
        expect changes 0
