# Scenario 24: SIGSTOP to all processes of a host for longer than E, then resumed: its old lease is void at once.
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
+1s     stop host A 5s
        | 2.44 - nobody serves
        expect serves B within 2500ms # the stopped kernel's address has a lifetime of its own
        | 3.40 B receives no more
        | 3.41 B leads term 2
        | 3.41 - primary B, epoch 2 (failover)
        | 3.41 - sync {B}, acks 0
        | 3.41 B has the record of epoch 2 written
        | 3.41 - the record of epoch 2 is committed
        | 3.42 B opens
        | 3.58 A has the address no more
        | 3.61 B has the address
        | 3.61 - B serves
        mark
        expect closed A within 4s
        | 7.44 A leads no more
        | 7.44 A closes
        expect no-answers A for 3s
        | 7.65 A its commits wait for 0 acknowledgements
        | 7.65 A receives from B and acknowledges
        | 7.65 B its commits wait for 1 acknowledgement
        | 7.66 - sync {B A}, acks 1
        expect follows A within 5s
        expect sync A B within 8s
        expect changes 0
