# Scenario 29: the primary's agent is restarted within a pause: its clients wait once, nothing else.
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
        pause 20s
+200ms  mark
        | 1.44 - pause, held by A
        told-to-stop A
+5s     expect serves A
        | 1.64 A agent ends
        | 1.64 A dbworker ends
        | 1.74 A agent starts
        | 1.74 A dbworker starts
        | 2.60 B receives no more
        | 2.60 - nobody serves
        | 2.61 B leads term 2
        | 2.61 B leads no more
        | 3.61 A leads term 3
        | 3.62 - primary A, epoch 3 (restart)
        | 3.62 B receives from A and acknowledges
        | 3.62 A closes
        | 3.62 A its commits wait for 0 acknowledgements
        | 3.62 A has the record of epoch 3 written
        | 3.62 A its commits wait for 1 acknowledgement
        | 3.62 - the record of epoch 3 is committed
        | 3.63 A opens
        | 3.63 - A serves
        expect gap 1500ms
        expect primary A
        resume
+500ms  mark
        | 6.64 - pause is over
        kill server A
        | 7.14 A server dies, open
        | 7.14 B receives no more
        | 7.14 - nobody serves
        expect serves B within 1s
        | 7.14 A has the address no more
        | 7.14 A leads no more
        | 7.14 B leads term 4
        | 7.15 - primary B, epoch 4 (failover)
        | 7.15 - sync {B}, acks 0
        | 7.15 B has the record of epoch 4 written
        | 7.15 - the record of epoch 4 is committed
        | 7.15 B opens
        | 7.16 B has the address
        | 7.16 - B serves
