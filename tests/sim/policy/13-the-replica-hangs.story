# Scenario 13: the replica's server hangs without closing its connection.
cluster A B X probe-timeout=1s
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
        stop server B 60s
        | 2.441 - nobody serves
        expect sync A within 2500ms
        | 3.705 - sync {A}, acks 0
        expect serves A within 100ms
        | 3.706 A its commits wait for 0 acknowledgements
        | 3.706 - A serves
+500ms  expect gap 2500ms
        | 3.740 B server dies
        | 4.141 B server starts to follow
        | 4.141 B acknowledges no more
        | 4.147 B receives from A and acknowledges
        | 4.154 A its commits wait for 1 acknowledgement
        | 4.162 - sync {A B}, acks 1
        expect sync A B within 12s    # killed by its own worker, started again
        expect changes 0
