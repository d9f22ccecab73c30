# Scenario 7: the dbworker is stopped for good: its agent kills it, the next one takes over the open database.
cluster A B X probe-timeout=500ms
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
        stop worker A 1000s
+1900ms expect gap 100ms              # the clients notice nothing
        | 3.93 A dbworker ends
        | 3.95 A dbworker starts
        expect changes 0
        kill server A
        | 4.34 A server dies, open
        | 4.34 B receives no more
        | 4.34 - nobody serves
        expect serves B within 1s     # and its death is seen
        | 4.34 A has the address no more
        | 4.34 A leads no more
        | 4.34 B leads term 2
        | 4.35 - primary B, epoch 2 (failover)
        | 4.35 - sync {B}, acks 0
        | 4.35 B has the record of epoch 2 written
        | 4.35 - the record of epoch 2 is committed
        | 4.35 B opens
        | 4.36 B has the address
        | 4.36 - B serves
