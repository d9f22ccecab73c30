# Scenario 13: the replica's server is restarted by hand while its dbworker is away: nobody sees it die, but it is another
# start. It leaves the sync set at once, not after a grace, and joins again.
cluster A B X
        on A B X
        expect sync A B within 9s
+1s     mark
        kill worker B
        restart B
        expect sync A within 400ms
        expect sync A B within 8s
        expect gap 400ms
        expect changes 0
