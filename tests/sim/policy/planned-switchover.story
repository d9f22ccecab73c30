# A planned switchover, under load: writes stop for one moment's drain, the lease is given up before the other begins; and back.
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
+1s     mark
        switchover to B
        expect serves B within 300ms
        | 2.44 - switchover to B is asked for
        | 2.44 A closes
        | 2.44 - nobody serves
        | 2.45 A has the address no more
        | 2.45 A leads no more
        | 2.45 B receives no more
        | 2.45 B leads term 2
        | 2.45 - primary B, epoch 2 (switchover)
        | 2.45 A its commits wait for 0 acknowledgements
        | 2.45 B has the record of epoch 2 written
        | 2.45 B its commits wait for 1 acknowledgement
        | 2.45 A receives from B and acknowledges
        | 2.46 - request: done
        | 2.46 - the record of epoch 2 is committed
        | 2.46 B opens
        | 2.46 B has the address
        | 2.46 - B serves
        expect change switchover
        expect outcome done
        expect sync A B within 1s     # it joins again at once: nothing was cut
        expect gap 50ms
        expect term-growth 1
+1s     mark
        switchover to A
        expect serves A within 300ms
        | 3.47 - switchover to A is asked for
        | 3.47 B closes
        | 3.47 - nobody serves
        | 3.47 B has the address no more
        | 3.47 B leads no more
        | 3.47 A receives no more
        | 3.47 A leads term 3
        | 3.47 - primary A, epoch 3 (switchover)
        | 3.48 B its commits wait for 0 acknowledgements
        | 3.48 A has the record of epoch 3 written
        | 3.48 A its commits wait for 1 acknowledgement
        | 3.48 B receives from A and acknowledges
        | 3.48 - request: done
        | 3.48 - the record of epoch 3 is committed
        | 3.48 A opens
        | 3.49 A has the address
        | 3.49 - A serves
        expect sync A B within 1s
        expect gap 50ms
        expect changes 1
