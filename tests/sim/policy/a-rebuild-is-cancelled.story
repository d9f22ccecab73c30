# Cancelled in the middle, when the old data are gone: the node waits, and says what for.
cluster A B X copy=2s
        on A B X
        | 0.00 A is on
        | 0.00 B is on
        | 0.00 X is on
        expect sync A B within 12s
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
        rebuild B
        expect down B within 2s
        | 1.44 - B is to be rebuilt
        | 1.51 - sync {A}, acks 0
        | 1.51 A its commits wait for 0 acknowledgements
        | 1.51 B receives no more
        | 1.51 B receives from A
        | 2.43 B is rebuilt from A
        | 2.43 B dbworker ends
        | 2.46 B server dies
        cancel B
        expect outcome failed within 2s
        | 2.46 B its rebuild ends, unfinished
        | 2.50 - request: failed: cancelled
        | 2.50 - B is no longer rebuilt
        expect no-aside B
        expect waits B a rebuild of its database came to no end within 1s
        rebuild B
        expect sync A B within 10s
        | 2.50 - B is to be rebuilt
        | 2.50 B is rebuilt from A
        | 4.53 B dbworker starts
        | 4.53 B its rebuild ends
        | 4.53 B server starts in place
        | 4.55 - request: done: made anew
        | 4.55 - B is no longer rebuilt
        | 4.68 B receives from A and acknowledges
        | 4.68 A its commits wait for 1 acknowledgement
        | 4.69 - sync {A B}, acks 1
