# Scenario 22: the new primary dies within seconds of its promotion: nothing blocks the next change.
cluster A B X
        on A B X
        expect sync A B within 9s
        kill server A
        expect serves B within 1s
        expect sync A B within 8s
        mark
        kill server B
        expect serves A within 1s
        expect change failover
        expect gap 500ms
        expect sync A B within 8s
        mark
        kill server A
        expect serves B within 1s
