# Scenario 13: the replica's server is restarted by hand while its dbworker is away: nobody sees it die, but it is another
# start. It leaves the sync set at once, not after a grace, and joins again.
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
+1s     mark
        kill worker B
        | 2.441 B dbworker ends
        restart B
        | 2.441 B server dies
        | 2.441 B server starts in place
        | 2.441 B acknowledges no more
        | 2.441 - nobody serves
        expect sync A within 400ms
        | 2.461 B dbworker starts
        | 2.505 - sync {A}, acks 0
        expect sync A B within 8s
        | 2.506 A its commits wait for 0 acknowledgements
        | 2.506 - A serves
        | 2.508 B receives from A and acknowledges
        | 2.509 A its commits wait for 1 acknowledgement
        | 2.517 - sync {A B}, acks 1
        expect gap 400ms
        expect changes 0
