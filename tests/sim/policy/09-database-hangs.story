# Scenario 9: the database is stopped (SIGSTOP): noticed by the probe, killed as the last rung, failover.
cluster A B X
        on A B X
        expect sync A B within 9s
+1s     mark
        stop server A 60s
        expect serves B within 3s
        expect follows A within 5s
        expect sync A B within 8s
        expect changes 1
