# Section 5: the replica's server restarts while its host is not heard for a moment: it acknowledges nothing before it has
# left the sync set as which it was counted, though that takes a while here.
cluster A B X start=200ms
        on A B X
        expect sync A B within 9s
        cut A | B
        kill server B
+800ms  heal
        cut A | X
        delay APPEND_REPLY B > A 200ms
        expect serves A within 2s
        heal
        expect sync A B within 8s
        expect changes 1
