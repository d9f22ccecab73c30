# Section 5: the replica's server restarts while its host is not heard for a moment: it acknowledges nothing before it has
# left the sync set as which it was counted, though that takes a while here.
cluster A B X start=200ms
        on A B X
        | 0.000 A is on
        | 0.000 B is on
        | 0.000 X is on
        expect sync A B within 9s
        | 1.003 A leads term 1
        | 1.205 A server starts in place
        | 1.205 B server starts in place
        | 1.226 - primary A, epoch 1 (first start)
        | 1.226 - sync {A}, acks 0
        | 1.228 A has the record of epoch 1 written
        | 1.229 B receives from A and acknowledges
        | 1.231 - the record of epoch 1 is committed
        | 1.232 A opens
        | 1.234 A its commits wait for 1 acknowledgement
        | 1.238 A has the address
        | 1.238 - A serves
        | 1.241 - sync {A B}, acks 1
        cut A | B
        | 1.241 - nobody serves
        kill server B
        | 1.241 B server dies
+800ms  heal
        cut A | X
        delay APPEND_REPLY B > A 200ms
        expect serves A within 2s
        | 2.407 B server starts in place
        | 2.407 B acknowledges no more
        | 2.505 - sync {A}, acks 0
        | 2.506 A its commits wait for 0 acknowledgements
        | 2.506 - A serves
        heal
        expect sync A B within 8s
        | 2.508 B receives from A and acknowledges
        | 2.514 A its commits wait for 1 acknowledgement
        | 2.522 - sync {A B}, acks 1
        expect changes 1
