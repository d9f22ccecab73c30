# Scenario 35: the only eligible database crashes and can restart: opened again under a new epoch, nobody else.
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
        mark
        kill server A
        | 2.605 A server dies, open
        expect serves A within 3s
        | 2.606 A has the address no more
        | 3.104 A server starts in place
        | 3.108 A leads no more
        | 3.110 A leads term 2
        | 3.114 - primary A, epoch 2 (restart)
        | 3.114 - sync {A}, acks 0
        | 3.115 A has the record of epoch 2 written
        | 3.118 - the record of epoch 2 is committed
        | 3.119 A opens
        | 3.126 A has the address
        | 3.126 - A serves
        expect change restart
        expect changes 1
        expect term-growth 1
