# A leader whose disk hangs makes room, though its heartbeats could go on, and is not elected again
# (hashicorp/raft 503, 614).
cluster A B C
        start A B C
        | 0.000 A starts
        | 0.000 B starts
        | 0.000 C starts
3s      expect leader A
        | 1.000 A asks who would vote for it in term 1
        | 1.002 A asks for votes in term 1
        | 1.003 A votes for itself in term 1
        | 1.004 B hears of term 1
        | 1.004 C hears of term 1
        | 1.005 B votes for A in term 1
        | 1.005 C votes for A in term 1
        | 1.006 A leads term 1
        | 1.009 A its lease begins
        | 1.009 A has committed the no-op of term 1
        disk A hangs
        propose A x
        | 3.000 A has x in its log
        expect applied x A B C within 10ms    # the others make a majority
        | 3.001 B has x in its log
        | 3.001 C has x in its log
        | 3.002 B has x in its file
        | 3.002 C has x in its file
        | 3.003 A commits x
        | 3.004 B commits x
        | 3.004 C commits x
        expect leader B within 2.5s
        | 4.000 A leads no more; term 1
        | 4.806 A its lease ends
        | 4.907 B asks who would vote for it in term 2
        | 4.909 B asks for votes in term 2
        | 4.910 B votes for itself in term 2
        | 4.911 A hears of term 2
        | 4.911 C hears of term 2
        | 4.912 C votes for B in term 2
        | 4.913 B leads term 2
        | 4.916 B its lease begins
        | 4.916 B has committed the no-op of term 2
        mark
        crash C
        | 4.916 C is down
+3s     expect leader none                    # A's vote cannot come to its disk
        | 5.813 B its lease ends
        | 5.913 B leads no more; term 2
        | 6.113 B asks who would vote for it in term 3
        | 6.815 B asks for votes in term 3
        | 6.816 B votes for itself in term 3
        | 6.817 A hears of term 3
        | 7.815 B campaigns no more; term 3
        | 7.915 B asks who would vote for it in term 4
        expect sent PREVOTE A 0               # so it does not ask for others' either
        expect waits A disk
        disk A works
        expect leader B within 1.5s
        | 7.916 A has x in its file
        | 7.917 B asks for votes in term 4
        | 7.917 A votes for B in term 3
        | 7.918 B votes for itself in term 4
        | 7.919 A hears of term 4
        | 7.920 A votes for B in term 4
        | 7.921 B leads term 4
        | 7.924 B its lease begins
        | 7.924 B has committed the no-op of term 4
        expect applied x A within 1s
