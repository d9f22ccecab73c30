# Scenario 13: the only acknowledging replica dies: writes go on after one detection time.
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
        off B
        | 2.44 B is off
        | 2.44 - nobody serves
        expect sync A within 2500ms
        | 3.61 - sync {A}, acks 0
        expect serves A within 100ms
        | 3.61 A its commits wait for 0 acknowledgements
        | 3.61 - A serves
+1s     expect gap 2500ms
        expect changes 0
        on B
        | 4.61 B is on
        expect sync A B within 10s
        | 5.10 B server starts to follow
        | 5.12 B receives from A and acknowledges
        | 5.12 A its commits wait for 1 acknowledgement
        | 5.13 - sync {A B}, acks 1
