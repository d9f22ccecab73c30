# Scenario 14: B died, A wrote on alone and died, B is back: not promoted; the operator is told what to choose.
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
+1s     off A
        | 2.61 A its commits wait for 0 acknowledgements
        | 2.61 - A serves
        | 3.61 A is off
        | 3.61 - nobody serves
+1s     on B
        | 4.61 B is on
        expect serves none for 20s
        | 5.76 X leads term 2
        | 5.76 X leads no more
        | 5.76 B leads term 3
        | 6.17 B server starts to follow
        expect waits B bring A back, or accept the loss
        on A
        | 24.61 A is on
        expect serves A within 5s     # no loss was needed
        | 25.07 A server starts in place
        | 25.07 B leads no more
        | 26.07 A leads term 4
        | 26.07 - primary A, epoch 4 (restart)
        | 26.07 - sync {A}, acks 0
        | 26.07 A has the record of epoch 4 written
        | 26.07 B receives from A and acknowledges
        | 26.08 - the record of epoch 4 is committed
        | 26.08 A opens
        | 26.08 A its commits wait for 1 acknowledgement
        | 26.08 A has the address
        | 26.08 - A serves
        expect sync A B within 10s
        | 26.08 - sync {A B}, acks 1
