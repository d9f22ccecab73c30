# Scenario 13: the only acknowledging replica dies: writes go on after one detection time.
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
        off B
        | 2.441 B is off
        | 2.441 - nobody serves
        expect sync A within 2500ms
        | 3.605 - sync {A}, acks 0
        expect serves A within 100ms
        | 3.606 A its commits wait for 0 acknowledgements
        | 3.606 - A serves
+1s     expect gap 2500ms
        expect changes 0
        on B
        | 4.606 B is on
        expect sync A B within 10s
        | 5.104 B server starts to follow
        | 5.104 B acknowledges no more
        | 5.115 B receives from A and acknowledges
        | 5.122 A its commits wait for 1 acknowledgement
        | 5.133 - sync {A B}, acks 1
