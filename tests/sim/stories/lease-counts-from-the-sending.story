# A lease counts from the sending of the round that a quorum has answered. Here the answers take 700 ms, and then the leader is
# cut off: what still arrives vouches for the time at which the voter heard it, and no longer.
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
        cut A | C
        campaign-delay C 3s
        delay APPEND_REPLY B > A 700ms
4s      expect leader A
        expect lease A
5s      cut A > B
        expect leader B within 1.2s
        | 5.806 A its lease ends
        | 5.906 A leads no more; term 1
        | 5.907 B asks who would vote for it in term 2
        | 5.909 B asks for votes in term 2
        | 5.910 B votes for itself in term 2
        | 5.911 A hears of term 2
        | 5.911 C hears of term 2
        | 5.912 A votes for B in term 2
        | 5.912 C votes for B in term 2
        | 5.913 B leads term 2
        | 5.916 B its lease begins
        | 5.916 B has committed the no-op of term 2
        expect lease B
        expect no-lease A                     # the last answer came at 5.6 s, to a round of 4.9 s
