# Scenario 35: both servers crash at once: each is started in place, for both are members of the sync set.
cluster A B X
        on A B X
        expect sync A B within 9s
        mark
        kill server A
        kill server B
        expect up B within 2s
        expect in-place B
        expect serves A within 5s
        expect in-place A
        expect change restart
        expect sync A B within 10s
