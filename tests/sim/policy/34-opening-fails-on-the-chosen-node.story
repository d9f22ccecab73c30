# Scenario 34: the chosen node does not open.
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
        fails B open
        switchover to B
        expect primary B within 2s
        | 1.443 - switchover to B is asked for
        | 1.444 A closes
        | 1.444 - nobody serves
        | 1.446 A has the address no more
        | 1.446 A leads no more
        | 1.447 B receives no more
        | 1.449 B leads term 2
        | 1.452 - request: done
        | 1.452 - primary B, epoch 2 (switchover)
+500ms  expect no-address B
        | 1.453 A its commits wait for 0 acknowledgements
        | 1.453 B has the record of epoch 2 written
        | 1.454 B its commits wait for 1 acknowledgement
        | 1.454 A receives from B and acknowledges
        | 1.457 - the record of epoch 2 is committed
        expect serves A within 8s
        | 2.458 B leads no more
        | 2.459 A receives no more
        | 2.461 A leads term 3
        | 2.464 - primary A, epoch 3 (failover)
        | 2.465 B its commits wait for 0 acknowledgements
        | 2.465 A has the record of epoch 3 written
        | 2.466 A its commits wait for 1 acknowledgement
        | 2.466 B receives from A and acknowledges
        | 2.469 - the record of epoch 3 is committed
        | 2.469 A opens
        | 2.476 A has the address
        | 2.476 - A serves
        expect closed B
        works B
        expect sync A B within 12s
