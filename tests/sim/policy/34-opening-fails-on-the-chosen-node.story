# Scenario 34: the chosen node does not open.
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
        fails B open
        switchover to B
        expect primary B within 2s
        | 1.44 - switchover to B is asked for
        | 1.44 A closes
        | 1.44 - nobody serves
        | 1.45 A has the address no more
        | 1.45 A leads no more
        | 1.45 B receives no more
        | 1.45 B leads term 2
        | 1.45 - primary B, epoch 2 (switchover)
+500ms  expect no-address B
        | 1.45 A its commits wait for 0 acknowledgements
        | 1.45 B has the record of epoch 2 written
        | 1.45 B its commits wait for 1 acknowledgement
        | 1.45 A receives from B and acknowledges
        | 1.46 - request: done
        | 1.46 - the record of epoch 2 is committed
        expect serves A within 8s
        | 2.46 B leads no more
        | 2.46 A receives no more
        | 2.46 A leads term 3
        | 2.47 - primary A, epoch 3 (failover)
        | 2.47 B its commits wait for 0 acknowledgements
        | 2.47 A has the record of epoch 3 written
        | 2.47 A its commits wait for 1 acknowledgement
        | 2.47 B receives from A and acknowledges
        | 2.47 - the record of epoch 3 is committed
        | 2.47 A opens
        | 2.48 A has the address
        | 2.48 - A serves
        expect closed B
        works B
        expect sync A B within 12s
