# Scenario 32: a planned transfer's last message is delayed, the old leader meanwhile gives up on it.
cluster A B X
        on A B X
        expect sync A B within 9s
        delay TIMEOUT_NOW A > B 3s
        switchover to B
        expect serves any within 6s
        expect serves any for 5s
        heal
        expect sync A B within 10s
