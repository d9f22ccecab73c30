# Who waits for an entry learns of its fate though the log has gone on beyond it and begins after it (willemt/raft 130): A
# takes a snapshot over the index at which x stood, and what was asked of A is lost with its leadership.
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
        cut A | B C
        propose A x                   # at index 2
        | 3.000 A has x in its log
        read A
        expect leader B within 2s
        | 3.001 A has x in its file
        | 3.806 A its lease ends
        | 3.906 A leads no more; term 1
        | 3.907 B asks who would vote for it in term 2
        | 3.909 B asks for votes in term 2
        | 3.910 B votes for itself in term 2
        | 3.911 C hears of term 2
        | 3.912 C votes for B in term 2
        | 3.913 B leads term 2
        | 3.916 B its lease begins
        | 3.916 B has committed the no-op of term 2
        propose B y
        | 3.916 B has y in its log
        propose B z
        | 3.916 B has z in its log
        expect applied z B C within 10ms
        | 3.917 C has y in its log
        | 3.917 B has y z in its file
        | 3.917 C has z in its log
        | 3.918 C has y z in its file
        | 3.919 B commits y
        | 3.919 B commits z
        | 3.920 C commits y z
        compact B
        | 3.920 B its log begins after 4
        compact C
        | 3.920 C its log begins after 4
        expect log-start B 4
        mark
        heal
        expect log-start A 4 within 500ms
        | 4.014 A hears of term 2
        | 4.016 B sends its snapshot up to 4
        | 4.017 A takes a snapshot up to 4
        expect no-log A x
        expect reads-open 0
        expect reads-done 0
        expect same-state A B C within 10ms
