# Scenario 13: the replica's server hangs without closing its connection.
cluster A B X probe-timeout=1s
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
        stop server B 60s
        | 2.44 - nobody serves
        expect sync A within 2500ms
        | 3.71 - sync {A}, acks 0
        expect serves A within 100ms
        | 3.71 A its commits wait for 0 acknowledgements
        | 3.71 - A serves
+500ms  expect gap 2500ms
        | 3.74 B server dies
        | 4.14 B server starts to follow
        | 4.15 B receives from A and acknowledges
        | 4.15 A its commits wait for 1 acknowledgement
        | 4.16 - sync {A B}, acks 1
        expect sync A B within 12s    # killed by its own worker, started again
        expect changes 0
