# Scenario 6: A and B do not hear each other, both see the arbiter: A stays, B leaves the sync set, terms stand still.
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
        cut A | B
        | 2.441 - nobody serves
        expect sync A within 2500ms
        | 3.605 - sync {A}, acks 0
        expect serves A within 200ms
        | 3.606 A its commits wait for 0 acknowledgements
        | 3.606 - A serves
        expect serves A for 10s
        | 6.445 B receives no more
        expect term-growth 0
        expect changes 0
        heal
        expect sync A B within 8s
        | 13.645 B receives from A and acknowledges
        | 13.680 A its commits wait for 1 acknowledgement
        | 13.931 - sync {A B}, acks 1
        expect changes 0
