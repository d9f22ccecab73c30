# Scenario 35: both servers crash at once: each is started in place, for both are members of the sync set.
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
        mark
        kill server A
        | 1.441 A server dies, open
        | 1.441 - nobody serves
        kill server B
        | 1.441 B server dies
        expect up B within 2s
        | 1.442 A has the address no more
        | 1.442 A leads no more
        | 1.445 B leads term 2
        | 2.842 B server starts in place
        | 2.842 B acknowledges no more
        expect in-place B
        expect serves A within 5s
        | 2.842 A server starts in place
        | 2.863 B leads no more
        | 2.866 A leads term 3
        | 2.869 - primary A, epoch 3 (restart)
        | 2.869 - sync {A}, acks 0
        | 2.871 A has the record of epoch 3 written
        | 2.872 B receives from A and acknowledges
        | 2.873 - the record of epoch 3 is committed
        | 2.874 A opens
        | 2.876 A its commits wait for 1 acknowledgement
        | 2.880 A has the address
        | 2.880 - A serves
        expect in-place A
        expect change restart
        expect sync A B within 10s
        | 2.884 - sync {A B}, acks 1
