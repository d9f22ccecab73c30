# A switchover to a replica that cannot catch up in time is given up; the clients notice next to nothing.
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
        applier B held 30s            # receives and acknowledges, applies nothing
+1s     mark
        switchover to B timeout=2s
        expect outcome failed within 3s
        | 2.44 - switchover to B is asked for
        | 4.44 - request: failed: the target applies too slowly to catch up in time: B
        expect serves A
        expect primary A
+2s     expect gap 100ms
        expect changes 0
        expect term-growth 0
