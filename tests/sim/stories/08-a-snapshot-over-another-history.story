# A was cut off with entries that nobody else has. What it is sent later is a snapshot, of another history than its log: nothing of
# that log stays behind it.
cluster A B C
        start A B C
        | 0.000 A starts
        | 0.000 B starts
        | 0.000 C starts
        campaign-delay C 3s
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
        propose A x
        | 3.000 A has x in its log
+50ms   cut A | B C
        | 3.001 B has x in its log
        | 3.001 C has x in its log
        | 3.001 A has x in its file
        | 3.002 B has x in its file
        | 3.002 C has x in its file
        | 3.003 A commits x
        | 3.004 B commits x
        | 3.004 C commits x
        propose A lost times 6        # up to entry 8
        | 3.050 A has lost1 lost2 lost3 lost4 lost5 lost6 in its log
        expect leader B within 2s
        | 3.051 A has lost1 lost2 lost3 lost4 lost5 lost6 in its file
        | 3.906 A its lease ends
        | 4.006 A leads no more; term 1
        | 4.007 B asks who would vote for it in term 2
        | 4.009 B asks for votes in term 2
        | 4.010 B votes for itself in term 2
        | 4.011 C hears of term 2
        | 4.012 C votes for B in term 2
        | 4.013 B leads term 2
        | 4.016 B its lease begins
        | 4.016 B has committed the no-op of term 2
        propose B y times 3
        | 4.016 B has y1 y2 y3 in its log
+50ms   compact B
        | 4.017 C has y1 in its log
        | 4.017 B has y1 y2 y3 in its file
        | 4.017 C has y2 in its log
        | 4.017 C has y3 in its log
        | 4.018 C has y1 y2 y3 in its file
        | 4.019 B commits y1
        | 4.019 B commits y2
        | 4.019 B commits y3
        | 4.020 C commits y1 y2 y3
        | 4.066 B its log begins after 6
        expect log-start B 6
        heal
        expect log-start A 6 within 1s
        | 4.114 A hears of term 2
        | 4.116 B sends its snapshot up to 6
        | 4.117 A drops lost5 lost6 from its file
        | 4.117 A takes a snapshot up to 6
        | 4.117 A drops lost5 lost6 from its log
        cut A | B C
        expect role A precandidate within 2s
        | 5.117 A asks who would vote for it in term 3
        expect no-log A lost6
