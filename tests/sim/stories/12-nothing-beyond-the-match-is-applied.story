# A commit index reaches only as far as the log is known to be the leader's (canonical/raft 355).
cluster A B C net=5ms
        start A B C
        | 0.000 A starts
        | 0.000 B starts
        | 0.000 C starts
3s      expect leader A
        | 1.000 A asks who would vote for it in term 1
        | 1.010 A asks for votes in term 1
        | 1.011 A votes for itself in term 1
        | 1.016 B hears of term 1
        | 1.016 C hears of term 1
        | 1.017 B votes for A in term 1
        | 1.017 C votes for A in term 1
        | 1.022 A leads term 1
        | 1.033 A its lease begins
        | 1.033 A has committed the no-op of term 1
        cut A | B C
        propose A x1
        | 3.000 A has x1 in its log
        propose A x2
        | 3.000 A has x2 in its log
        propose A x3
        | 3.000 A has x3 in its log
        propose A x4
        | 3.000 A has x4 in its log
        expect leader B within 2s
        | 3.001 A has x1 x2 x3 x4 in its file
        | 3.822 A its lease ends
        | 3.922 A leads no more; term 1
        | 3.927 B asks who would vote for it in term 2
        | 3.937 B asks for votes in term 2
        | 3.938 B votes for itself in term 2
        | 3.943 C hears of term 2
        | 3.944 C votes for B in term 2
        | 3.949 B leads term 2
        | 3.960 B its lease begins
        | 3.960 B has committed the no-op of term 2
        propose B y1
        | 3.960 B has y1 in its log
        propose B y2
        | 3.960 B has y2 in its log
+50ms   expect applied y2 B
        | 3.961 B has y1 y2 in its file
        | 3.965 C has y1 in its log
        | 3.965 C has y2 in its log
        | 3.966 C has y1 y2 in its file
        | 3.971 B commits y1
        | 3.971 B commits y2
        | 3.976 C commits y1 y2
        heal                          # the first heartbeats carry a commit index that lies within A's old entries
        expect unapplied x1 A for 1s
        | 4.054 A hears of term 2
        | 4.065 A drops x1 x2 x3 x4 from its log
        | 4.065 A has y1 y2 in its log
        | 4.065 A commits y1 y2
        | 4.066 A drops x1 x2 x3 x4 from its file
        | 4.066 A has y1 y2 in its file
        expect unapplied x2 A
        expect applied y2 A
