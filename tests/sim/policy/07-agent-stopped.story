# Scenario 7: SIGSTOP of the agent, longer than E; when it runs again, its lease is void.
cluster A B X
        on A B X
        expect sync A B within 9s
+1s     mark
        stop agent A 6s
+900ms  expect closed A
        expect no-address A
        expect serves B within 1s
        expect serves B for 8s
        expect follows A within 3s
        expect changes 1
