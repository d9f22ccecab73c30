# As long as a data node can lead, the arbiter never campaigns; alone, it does not either.
cluster A B X
        start A B X
3s      expect leader A
        mark
        crash A
        expect leader B within 1.2s
        start A
+3s     crash B
        expect leader A within 1.2s
        crash A
        expect leader none for 10s
        expect sent PREVOTE X 0
        expect sent VOTE X 0
        expect waits X arbiter
