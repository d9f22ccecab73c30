# An entry is written, superseded and written again while the disk is slow. The notice of the first write says nothing
# about the third (etcd-io/raft testdata; test_raft_log.c has it to the letter).
cluster A B C D E
        start A B C D E
        | 0.000 A starts
        | 0.000 B starts
        | 0.000 C starts
        | 0.000 D starts
        | 0.000 E starts
3s      expect leader A
        | 1.000 A asks who would vote for it in term 1
        | 1.002 A asks for votes in term 1
        | 1.003 A votes for itself in term 1
        | 1.004 B hears of term 1
        | 1.004 C hears of term 1
        | 1.004 D hears of term 1
        | 1.004 E hears of term 1
        | 1.005 B votes for A in term 1
        | 1.005 C votes for A in term 1
        | 1.005 D votes for A in term 1
        | 1.005 E votes for A in term 1
        | 1.006 A leads term 1
        | 1.009 A its lease begins
        | 1.009 A has committed the no-op of term 1
        disk C 5s
        cut A | B D E
        propose A x                   # reaches C only
        | 3.000 A has x in its log
        expect log C x within 10ms
        | 3.001 C has x in its log
+10ms   cut A | C
        | 3.001 A has x in its file
        drop APPEND B > D
        drop APPEND B > E
        expect role B leader within 2s
        | 3.806 A its lease ends
        | 3.906 A leads no more; term 1
        | 3.907 B asks who would vote for it in term 2
        | 3.909 B asks for votes in term 2
        | 3.910 B votes for itself in term 2
        | 3.911 D hears of term 2
        | 3.911 E hears of term 2
        | 3.912 D votes for B in term 2
        | 3.912 E votes for B in term 2
        | 3.913 B leads term 2
        expect no-log C x within 2s   # B's no-op takes its place
        | 3.914 C hears of term 2
        | 3.914 C drops x from its log
        crash B
        | 3.914 B is down
        heal
        expect leader A within 4s     # it has more than D and E
        | 4.206 A asks who would vote for it in term 2
        | 4.208 A asks who would vote for it in term 3
        | 4.210 A asks for votes in term 3
        | 4.211 A votes for itself in term 3
        | 4.212 D hears of term 3
        | 4.212 E hears of term 3
        | 4.213 D votes for A in term 3
        | 4.213 E votes for A in term 3
        | 4.214 A leads term 3
        | 4.215 C hears of term 3
        | 4.217 D has x in its log
        | 4.217 E has x in its log
        | 4.218 D has x in its file
        | 4.218 E has x in its file
        | 4.219 A its lease begins
        | 4.219 A commits x
        | 4.219 A has committed the no-op of term 3
        # C answers about the no-op only when its disk has caught up, and then learns what it lacks
        expect disk C x within 12s
        | 4.220 D commits x
        | 4.220 E commits x
        | 8.001 C has x in its file
        expect applied x A C D E within 6s
        | 13.001 C drops x from its file
        | 13.003 C has x in its log
        | 13.003 C commits x
