# Scenario 14: B died, A wrote on alone and died, B is back: not promoted; the operator is told what to choose.
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
        off B
        | 1.441 B is off
        | 1.441 - nobody serves
        expect sync A within 3s
        | 2.605 - sync {A}, acks 0
+1s     off A
        | 2.606 A its commits wait for 0 acknowledgements
        | 2.606 - A serves
        | 3.605 A is off
        | 3.605 - nobody serves
+1s     on B
        | 4.605 B is on
        expect serves none for 20s
        | 5.759 X leads term 2
        | 5.761 X leads no more
        | 5.764 B leads term 3
        | 6.166 B server starts to follow
        | 6.166 B acknowledges no more
        expect waits B bring A back, or accept the loss
        on A
        | 24.605 A is on
        expect serves A within 5s     # no loss was needed
        | 25.071 A server starts in place
        | 25.074 B leads no more
        | 26.068 A leads term 4
        | 26.071 - primary A, epoch 4 (restart)
        | 26.071 - sync {A}, acks 0
        | 26.072 A has the record of epoch 4 written
        | 26.073 B receives from A and acknowledges
        | 26.076 - the record of epoch 4 is committed
        | 26.076 A opens
        | 26.080 A its commits wait for 1 acknowledgement
        | 26.083 A has the address
        | 26.083 - A serves
        expect sync A B within 10s
        | 26.084 - sync {A B}, acks 1
