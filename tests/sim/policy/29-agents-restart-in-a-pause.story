# Scenario 29: the primary's agent is restarted within a pause: its clients wait once, nothing else.
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
        pause 20s
+200ms  mark
        | 1.443 - pause, held by A
        told-to-stop A
+5s     expect serves A
        | 1.641 A agent ends
        | 1.641 A dbworker ends
        | 1.741 A agent starts
        | 1.741 A dbworker starts
        | 2.605 B receives no more
        | 2.605 - nobody serves
        | 2.607 B leads term 2
        | 2.608 B leads no more
        | 3.612 A leads term 3
        | 3.615 - primary A, epoch 3 (restart)
        | 3.618 B receives from A and acknowledges
        | 3.619 A closes
        | 3.621 A its commits wait for 0 acknowledgements
        | 3.622 A has the record of epoch 3 written
        | 3.622 A its commits wait for 1 acknowledgement
        | 3.625 - the record of epoch 3 is committed
        | 3.625 A opens
        | 3.625 - A serves
        expect gap 1500ms
        expect primary A
        resume
+500ms  mark
        | 6.643 - pause is over
        kill server A
        | 7.141 A server dies, open
        | 7.141 - nobody serves
        expect serves B within 1s
        | 7.142 A has the address no more
        | 7.142 A leads no more
        | 7.143 B receives no more
        | 7.145 B leads term 4
        | 7.148 - primary B, epoch 4 (failover)
        | 7.148 - sync {B}, acks 0
        | 7.149 B has the record of epoch 4 written
        | 7.153 - the record of epoch 4 is committed
        | 7.153 B opens
        | 7.160 B has the address
        | 7.160 - B serves
