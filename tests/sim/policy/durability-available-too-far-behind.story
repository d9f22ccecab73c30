# The replica lags by more than the bound: it does not take over, and the primary that comes back does.
cluster A B X available=500ms
        on A B X
        | 0.00 A is on
        | 0.00 B is on
        | 0.00 X is on
        expect serves A within 12s
        | 1.00 A leads term 1
        | 1.40 A server starts in place
        | 1.41 B server starts in place
        | 1.43 - primary A, epoch 1 (first start)
        | 1.43 - sync {A}, acks 0
        | 1.43 A has the record of epoch 1 written
        | 1.43 B receives from A and acknowledges
        | 1.43 - the record of epoch 1 is committed
        | 1.43 A opens
        | 1.44 A has the address
        | 1.44 - A serves
+2s     replication to B 3s
+2s     off A
        | 5.44 A is off
        | 5.44 - nobody serves
+4s     expect serves none
        | 6.90 B receives no more
        | 6.91 B leads term 2
        expect waits B lags behind A
        on A
        | 9.44 A is on
        expect serves A within 5s
        | 9.91 A server starts in place
        | 9.92 B leads no more
        | 10.91 A leads term 3
        | 10.91 - primary A, epoch 3 (restart)
        | 10.91 - sync {A}, acks 0
        | 10.91 A has the record of epoch 3 written
        | 10.92 B receives from A and acknowledges
        | 10.92 - the record of epoch 3 is committed
        | 10.92 A opens
        | 10.93 A has the address
        | 10.93 - A serves
