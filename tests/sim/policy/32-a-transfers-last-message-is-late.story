# Scenario 32: a planned transfer's last message is delayed, the old leader meanwhile gives up on it.
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
        delay TIMEOUT_NOW A > B 3s
        switchover to B
+1s     expect serves none            # both leases are given up, the message is on its way
        | 1.44 - switchover to B is asked for
        | 1.44 A closes
        | 1.44 - nobody serves
        | 1.45 A has the address no more
        | 1.45 A leads no more
        expect serves any within 4s
        | 2.44 B receives no more
        | 2.45 B leads term 2
        | 2.45 - primary B, epoch 2 (switchover)
        | 2.45 A its commits wait for 0 acknowledgements
        | 2.45 B has the record of epoch 2 written
        | 2.45 B its commits wait for 1 acknowledgement
        | 2.45 A receives from B and acknowledges
        | 2.45 - request: done
        | 2.45 - the record of epoch 2 is committed
        | 2.45 B opens
        | 2.46 B has the address
        | 2.46 - B serves
        expect serves any for 5s
        heal
        expect sync A B within 10s
