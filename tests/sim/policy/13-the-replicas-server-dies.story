# Scenario 13: only the replica's server dies: it is started in place, for it is a member of the sync set; writes go on.
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
+1s     mark
        kill server B
        | 2.44 B server dies
        | 2.44 - nobody serves
        expect serves A within 300ms
        | 2.51 - sync {A}, acks 0
        | 2.51 A its commits wait for 0 acknowledgements
        | 2.51 - A serves
        expect up B within 1s
        | 2.84 B server starts in place
        expect in-place B
        expect sync A B within 8s
        | 2.86 B receives from A and acknowledges
        | 2.87 A its commits wait for 1 acknowledgement
        | 2.88 - sync {A B}, acks 1
        expect gap 300ms
        expect changes 0
