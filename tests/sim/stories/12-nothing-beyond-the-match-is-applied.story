# A commit index reaches only as far as the log is known to be the leader's (canonical/raft 355).
cluster A B C net=5ms
        start A B C
3s      expect leader A
        cut A | B C
        propose A x1
        propose A x2
        propose A x3
        propose A x4
        expect leader B within 2s
        propose B y1
        propose B y2
+50ms   expect applied y2 B
        heal                          # the first heartbeats carry a commit index that lies within A's old entries
        expect unapplied x1 A for 1s
        expect unapplied x2 A
        expect applied y2 A
