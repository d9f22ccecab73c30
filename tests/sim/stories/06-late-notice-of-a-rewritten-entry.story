# An entry is written, superseded and written again while the disk is slow. The notice of the first write says nothing
# about the third (etcd-io/raft testdata; test_raft_log.c has it to the letter).
cluster A B C D E
        start A B C D E
3s      expect leader A
        disk C 5s
        cut A | B D E
        propose A x                   # reaches C only
        expect log C x within 10ms
+10ms   cut A | C
        drop APPEND B > D
        drop APPEND B > E
        expect role B leader within 2s
        expect no-log C x within 2s   # B's no-op takes its place
        crash B
        heal
        expect leader A within 4s     # it has more than D and E
        # C answers about the no-op only when its disk has caught up, and then learns what it lacks
        expect disk C x within 12s
        expect applied x A C D E within 6s
