# Scenario 13: only the replica's server dies: it is started in place, for it is a member of the sync set; writes go on.
cluster A B X
        on A B X
        expect sync A B within 9s
+1s     mark
        kill server B
        expect serves A within 300ms
        expect up B within 1s
        expect in-place B
        expect sync A B within 8s
        expect gap 300ms
        expect changes 0
