# Scenario 1: kill -9 of the primary's database: drained promotion, the address moves, no timeout in the path.
cluster A B X
        on A B X
        | 0.000 A is on
        | 0.000 B is on
        | 0.000 X is on
        expect serves A within 6s
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
        expect sync A B within 3s
        | 1.441 - sync {A B}, acks 1
+3s     applier B held 100ms          # a backlog: received, not applied
+50ms   mark
        kill server A
        | 4.491 A server dies, open
        | 4.491 - nobody serves
        expect primary B within 300ms
        | 4.492 A has the address no more
        | 4.492 A leads no more
        | 4.493 B receives no more
        | 4.495 B leads term 2
        | 4.547 - primary B, epoch 2 (failover)
        | 4.547 - sync {B}, acks 0
        expect sync B
        expect serves B within 50ms
        | 4.549 B has the record of epoch 2 written
        | 4.552 - the record of epoch 2 is committed
        | 4.552 B opens
        | 4.559 B has the address
        | 4.559 - B serves
        expect change failover
        expect gap 300ms
        expect follows A within 3s    # the old primary returns, what nobody acknowledged is cut
        | 4.947 A server starts to follow
        | 4.955 A receives from B and acknowledges
        expect sync A B within 6s
        | 4.956 B its commits wait for 1 acknowledgement
        | 4.962 - sync {B A}, acks 1
        expect changes 1 for 5s
