# Two members with different profiles: whoever hears a leader promises that leader's E, not its own.
cluster A B C
        profile A 2s 100ms
        start A B C
        | 0.000 A starts
        | 0.000 B starts
        | 0.000 C starts
        campaign-delay B 3s
        campaign-delay C 3s
5s      expect leader A
        | 2.000 A asks who would vote for it in term 1
        | 2.002 A asks for votes in term 1
        | 2.003 A votes for itself in term 1
        | 2.004 B hears of term 1
        | 2.004 C hears of term 1
        | 2.005 B votes for A in term 1
        | 2.005 C votes for A in term 1
        | 2.006 A leads term 1
        | 2.009 A its lease begins
        | 2.009 A has committed the no-op of term 1
        expect lease A
        campaign-delay B 0ms
        cut A | B C
        expect leader B within 2.6s           # and not 1 s later, when A's lease of 1.8 s still lives
        | 6.706 A its lease ends
        | 6.906 A leads no more; term 1
        | 6.907 B asks who would vote for it in term 2
        | 6.909 B asks for votes in term 2
        | 6.910 B votes for itself in term 2
        | 6.911 C hears of term 2
        | 6.912 C votes for B in term 2
        | 6.913 B leads term 2
        | 6.916 B its lease begins
        | 6.916 B has committed the no-op of term 2
        expect lease B
        expect no-lease A
