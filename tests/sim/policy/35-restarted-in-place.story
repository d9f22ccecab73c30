# Scenario 35: the only eligible database crashes and can restart: opened again under a new epoch, nobody else.
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
        mark
        kill server A
        | 2.61 A server dies, open
        expect serves A within 3s
        | 2.61 A has the address no more
        | 3.10 A server starts in place
        | 3.11 A leads no more
        | 3.11 A leads term 2
        | 3.11 - primary A, epoch 2 (restart)
        | 3.11 - sync {A}, acks 0
        | 3.12 A has the record of epoch 2 written
        | 3.12 - the record of epoch 2 is committed
        | 3.12 A opens
        | 3.13 A has the address
        | 3.13 - A serves
        expect change restart
        expect changes 1
        expect term-growth 1
