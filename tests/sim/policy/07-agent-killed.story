# Scenario 7: the agent is killed and does not come back: address and permission end with the lease.
cluster A B X
        on A B X
        expect sync A B within 9s
+1s     mark
        stays-down A
        kill agent A
+900ms  expect closed A
        expect no-address A
        expect serves B within 1s
