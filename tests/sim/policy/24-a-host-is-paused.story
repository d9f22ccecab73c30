# Scenario 24: SIGSTOP to all processes of a host for longer than E, then resumed: its old lease is void at once.
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
+1s     stop host A 5s
        | 2.441 - nobody serves
        expect serves B within 2500ms # the stopped kernel's address has a lifetime of its own
        | 3.405 B receives no more
        | 3.407 B leads term 2
        | 3.410 - primary B, epoch 2 (failover)
        | 3.410 - sync {B}, acks 0
        | 3.411 B has the record of epoch 2 written
        | 3.415 - the record of epoch 2 is committed
        | 3.415 B opens
        | 3.584 A has the address no more
        | 3.642 B has the address
        | 3.642 - B serves
        mark
        expect closed A within 4s
        | 7.441 A leads no more
        | 7.442 A closes
        expect no-answers A for 3s
        | 7.646 A its commits wait for 0 acknowledgements
        | 7.646 A receives from B and acknowledges
        | 7.653 B its commits wait for 1 acknowledgement
        | 7.661 - sync {B A}, acks 1
        expect follows A within 5s
        expect sync A B within 8s
        expect changes 0
