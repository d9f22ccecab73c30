# Scenario 1: kill -9 of the primary's database: drained promotion, the address moves, no timeout in the path.
cluster A B X
        on A B X
        | 0.00 A is on
        | 0.00 B is on
        | 0.00 X is on
        expect serves A within 6s
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
        expect sync A B within 3s
        | 1.44 - sync {A B}, acks 1
+3s     applier B held 100ms          # a backlog: received, not applied
+50ms   mark
        kill server A
        | 4.49 A server dies, open
        | 4.49 B receives no more
        | 4.49 - nobody serves
        expect primary B within 300ms
        | 4.49 A has the address no more
        | 4.49 A leads no more
        | 4.49 B leads term 2
        | 4.55 - primary B, epoch 2 (failover)
        | 4.55 - sync {B}, acks 0
        expect sync B
        expect serves B within 50ms
        | 4.55 B has the record of epoch 2 written
        | 4.55 - the record of epoch 2 is committed
        | 4.55 B opens
        | 4.56 B has the address
        | 4.56 - B serves
        expect change failover
        expect gap 300ms
        expect follows A within 3s    # the old primary returns, what nobody acknowledged is cut
        | 4.95 A server starts to follow
        | 4.95 A receives from B and acknowledges
        expect sync A B within 6s
        | 4.96 B its commits wait for 1 acknowledgement
        | 4.96 - sync {B A}, acks 1
        expect changes 1 for 5s
