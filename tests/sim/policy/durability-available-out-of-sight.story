# durability = "available": the replica hears nothing of the primary any more, which goes on with the arbiter. When the primary
# dies, how far the replica lags is more than what it knows of.
cluster A B X available=2s
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
+2s     cut A | B
+5s     expect serves A
        | 7.42 B receives no more
        off A
        | 8.44 A is off
        | 8.44 - nobody serves
+5s     expect serves none
        | 9.41 B leads term 2
        expect waits B lags behind A
        heal
        on A
        | 13.44 A is on
        expect serves A within 5s
        | 13.91 A server starts in place
        | 13.92 B leads no more
        | 14.91 A leads term 3
        | 14.91 - primary A, epoch 3 (restart)
        | 14.91 - sync {A}, acks 0
        | 14.92 A has the record of epoch 3 written
        | 14.92 B receives from A and acknowledges
        | 14.92 - the record of epoch 3 is committed
        | 14.92 A opens
        | 14.93 A has the address
        | 14.93 - A serves
