# A leader that removes itself leads until that is committed, without counting itself, and is then silent (etcd 11038).
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
        remove A at A
        | 3.000 A has the membership in its log
        | 3.000 A counts the members B C
        expect members B B C within 10ms
        | 3.001 B has the membership in its log
        | 3.001 B counts the members B C
        expect role A follower within 50ms
        | 3.001 C has the membership in its log
        | 3.001 C counts the members B C
        | 3.001 A has the membership in its file
        | 3.002 B has the membership in its file
        | 3.002 C has the membership in its file
        | 3.003 A leads no more; term 1
        | 3.003 A commits the membership
+50ms   mark
        expect leader any within 2s
        | 3.806 A its lease ends
        | 4.001 B asks who would vote for it in term 2
        | 4.003 B asks for votes in term 2
        | 4.004 B votes for itself in term 2
        | 4.005 C hears of term 2
        | 4.006 C votes for B in term 2
        | 4.007 B leads term 2
        | 4.010 B its lease begins
        | 4.010 B commits the membership
        | 4.010 B has committed the no-op of term 2
        expect leader B
+10s    expect leader B
        | 4.011 C commits the membership
        expect sent APPEND A 0
        expect sent VOTE A 0
        expect term-growth 1
