# The leader can send but not hear: it must notice (CheckQuorum), or nobody is ever elected.
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
        mark
        cut B C > A
        expect role A follower within 1.1s
        | 3.806 A its lease ends
        | 3.906 A leads no more; term 1
        expect no-lease A
        expect leader B within 1.3s
        | 4.106 A asks who would vote for it in term 2
        | 4.807 B asks who would vote for it in term 2
        | 4.809 B asks for votes in term 2
        | 4.810 B votes for itself in term 2
        | 4.811 C hears of term 2
        | 4.812 C votes for B in term 2
        | 4.813 B leads term 2
        | 4.816 B its lease begins
        | 4.816 B has committed the no-op of term 2
        expect term-growth 1
        expect leader B for 20s               # A asks for votes and hears no answer: no harm
        expect term-growth 1
        heal
        expect leader B for 5s
        | 24.908 A asks who would vote for it in term 3
        | 24.914 A campaigns no more; term 2
        expect term-growth 1
