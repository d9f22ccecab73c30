# Scenario 7: the dbworker is stopped for good: its agent kills it, the next one takes over the open database.
cluster A B X probe-timeout=500ms
        on A B X
        expect sync A B within 9s
+1s     mark
        stop worker A 1000s
+1900ms expect gap 100ms              # the clients notice nothing
        expect changes 0
        kill server A
        expect serves B within 1s     # and its death is seen
