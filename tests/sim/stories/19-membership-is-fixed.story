# No change of members, least of all before the no-op of the term (copycat 23): membership is fixed at the founding.
cluster A B C
        start A B C
        | 0.000 A starts
        | 0.000 B starts
        | 0.000 C starts
        expect role A leader within 2s
        | 1.000 A asks who would vote for it in term 1
        | 1.002 A asks for votes in term 1
        | 1.003 A votes for itself in term 1
        | 1.004 B hears of term 1
        | 1.004 C hears of term 1
        | 1.005 B votes for A in term 1
        | 1.005 C votes for A in term 1
        | 1.006 A leads term 1
        propose-membership A refused invalid
4s      propose-membership A refused invalid
        | 1.009 A its lease begins
        | 1.009 A has committed the no-op of term 1
        propose-membership B refused invalid
