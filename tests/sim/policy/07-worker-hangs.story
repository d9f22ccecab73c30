# Scenario 7: the dbworker is stopped for good: its agent kills it, the next one takes over the open database.
cluster A B X probe-timeout=500ms
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
        stop worker A 1000s
+1900ms expect gap 100ms              # the clients notice nothing
        | 3.930 A dbworker ends
        | 3.950 A dbworker starts
        expect changes 0
        kill server A
        | 4.341 A server dies, open
        | 4.341 - nobody serves
        expect serves B within 1s     # and its death is seen
        | 4.342 A has the address no more
        | 4.342 A leads no more
        | 4.343 B receives no more
        | 4.345 B leads term 2
        | 4.348 - primary B, epoch 2 (failover)
        | 4.348 - sync {B}, acks 0
        | 4.350 B has the record of epoch 2 written
        | 4.353 - the record of epoch 2 is committed
        | 4.353 B opens
        | 4.360 B has the address
        | 4.360 - B serves
