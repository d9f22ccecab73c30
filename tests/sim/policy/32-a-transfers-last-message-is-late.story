# Scenario 32: a planned transfer's last message is delayed, the old leader meanwhile gives up on it.
cluster A B X
        on A B X
        expect sync A B within 9s
        delay TIMEOUT_NOW A > B 3s
        switchover to B
+1s     expect serves none            # both leases are given up, the message is on its way
        expect serves any within 4s
        expect serves any for 5s
        heal
        expect sync A B within 10s
