# Scenario 14, the other choice.
cluster A B X
        on A B X
        expect sync A B within 9s
        off B
        expect sync A within 3s
+1s     off A
+1s     on B
+5s     failover to B refused         # A may live: its fence is not confirmed
+3s     expect serves none
        failover to B old-primary-is-off
        expect serves B within 3s
        expect change forced
        expect outcome done
        on A
+5s     expect no-follows A           # it has more: set aside
        expect serves B
