# Section 5: the replica's server restarts while its host is not heard for a moment: it acknowledges nothing before it has
# left the sync set as which it was counted, though that takes a while here.
cluster A B X start=200ms
        on A B X
        | 0.00 A is on
        | 0.00 B is on
        | 0.00 X is on
        expect sync A B within 9s
        | 1.00 A leads term 1
        | 1.20 A server starts in place
        | 1.21 B server starts in place
        | 1.23 - primary A, epoch 1 (first start)
        | 1.23 - sync {A}, acks 0
        | 1.23 A has the record of epoch 1 written
        | 1.23 B receives from A and acknowledges
        | 1.23 - the record of epoch 1 is committed
        | 1.23 A opens
        | 1.23 A its commits wait for 1 acknowledgement
        | 1.24 A has the address
        | 1.24 - A serves
        | 1.24 - sync {A B}, acks 1
        cut A | B
        | 1.24 - nobody serves
        kill server B
        | 1.24 B server dies
+800ms  heal
        cut A | X
        delay APPEND_REPLY B > A 200ms
        expect serves A within 2s
        | 2.41 B server starts in place
        | 2.51 - sync {A}, acks 0
        | 2.51 A its commits wait for 0 acknowledgements
        | 2.51 - A serves
        heal
        expect sync A B within 8s
        | 2.51 B receives from A and acknowledges
        | 2.51 A its commits wait for 1 acknowledgement
        | 2.52 - sync {A B}, acks 1
        expect changes 1
