# Scenario 35: both servers crash at once: each is started in place, for both are members of the sync set.
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
        mark
        kill server A
        | 1.44 A server dies, open
        | 1.44 B receives no more
        | 1.44 - nobody serves
        kill server B
        | 1.44 B server dies
        expect up B within 2s
        | 1.44 A has the address no more
        | 1.44 A leads no more
        | 1.44 B leads term 2
        | 2.84 B server starts in place
        expect in-place B
        expect serves A within 5s
        | 2.84 A server starts in place
        | 2.86 B leads no more
        | 2.87 A leads term 3
        | 2.87 - primary A, epoch 3 (restart)
        | 2.87 - sync {A}, acks 0
        | 2.87 A has the record of epoch 3 written
        | 2.87 B receives from A and acknowledges
        | 2.87 - the record of epoch 3 is committed
        | 2.87 A opens
        | 2.88 A its commits wait for 1 acknowledgement
        | 2.88 A has the address
        | 2.88 - A serves
        expect in-place A
        expect change restart
        expect sync A B within 10s
        | 2.88 - sync {A B}, acks 1
