# Scenario 32: a planned transfer's last message is delayed, the old leader meanwhile gives up on it.
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
        delay TIMEOUT_NOW A > B 3s
        switchover to B
+1s     expect serves none            # both leases are given up, the message is on its way
        | 1.443 - switchover to B is asked for
        | 1.444 A closes
        | 1.444 - nobody serves
        | 1.446 A has the address no more
        | 1.446 A leads no more
        expect serves any within 4s
        | 2.444 B receives no more
        | 2.446 B leads term 2
        | 2.450 - request: done
        | 2.450 - primary B, epoch 2 (switchover)
        | 2.451 A its commits wait for 0 acknowledgements
        | 2.451 B has the record of epoch 2 written
        | 2.452 B its commits wait for 1 acknowledgement
        | 2.452 A receives from B and acknowledges
        | 2.454 - the record of epoch 2 is committed
        | 2.455 B opens
        | 2.461 B has the address
        | 2.461 - B serves
        expect serves any for 5s
        heal
        expect sync A B within 10s
