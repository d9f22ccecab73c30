# Every write takes three heartbeats: elections take long, but end.
cluster A B C D E disk=300ms
        start A B C D E
        | 0.000 A starts
        | 0.000 B starts
        | 0.000 C starts
        | 0.000 D starts
        | 0.000 E starts
        expect leader A within 4s
        | 1.000 A asks who would vote for it in term 1
        | 1.002 A asks for votes in term 1
        | 1.050 B asks who would vote for it in term 1
        | 1.052 B asks for votes in term 1
        | 1.100 C asks who would vote for it in term 1
        | 1.102 C asks for votes in term 1
        | 1.150 D asks who would vote for it in term 1
        | 1.200 E asks who would vote for it in term 1
        | 1.302 A votes for itself in term 1
        | 1.303 D campaigns no more; term 1
        | 1.303 E campaigns no more; term 1
        | 1.352 B votes for itself in term 1
        | 1.402 C votes for itself in term 1
        | 1.453 A campaigns no more; term 1
        | 1.453 A asks who would vote for it in term 2
        | 1.504 B campaigns no more; term 1
        | 1.554 B asks who would vote for it in term 2
        | 1.555 A asks for votes in term 2
        | 1.556 B asks for votes in term 2
        | 1.603 D votes for A in term 1
        | 1.603 E votes for A in term 1
        | 1.604 C campaigns no more; term 1
        | 1.704 C asks who would vote for it in term 2
        | 1.706 C asks for votes in term 2
        | 1.854 B campaigns no more; term 2
        | 1.855 A votes for itself in term 2
        | 1.856 B votes for itself in term 2
        | 1.856 D hears of term 2
        | 1.856 E hears of term 2
        | 1.904 B asks who would vote for it in term 3
        | 2.006 C votes for itself in term 2
        | 2.057 A campaigns no more; term 2
        | 2.057 A asks who would vote for it in term 3
        | 2.156 D votes for A in term 2
        | 2.156 E votes for A in term 2
        | 2.156 C campaigns no more; term 2
        | 2.159 A asks for votes in term 3
        | 2.209 B asks for votes in term 3
        | 2.256 C asks who would vote for it in term 3
        | 2.258 C asks for votes in term 3
        | 2.459 A votes for itself in term 3
        | 2.460 D hears of term 3
        | 2.460 E hears of term 3
        | 2.509 B votes for itself in term 3
        | 2.558 C votes for itself in term 3
        | 2.760 D votes for A in term 3
        | 2.760 E votes for A in term 3
        | 2.761 A leads term 3
        | 2.762 B campaigns no more; term 3
        | 2.762 C campaigns no more; term 3
        | 3.063 A its lease begins
        | 3.063 A has committed the no-op of term 3
        crash A
        | 3.063 A is down
        expect leader any within 4s
        | 3.661 A its lease ends
        | 4.064 B asks who would vote for it in term 4
        | 4.066 B asks for votes in term 4
        | 4.114 C asks who would vote for it in term 4
        | 4.116 C asks for votes in term 4
        | 4.162 D asks who would vote for it in term 4
        | 4.212 E asks who would vote for it in term 4
        | 4.366 B votes for itself in term 4
        | 4.367 D campaigns no more; term 4
        | 4.367 E campaigns no more; term 4
        | 4.416 C votes for itself in term 4
        | 4.517 B campaigns no more; term 4
        | 4.567 B asks who would vote for it in term 5
        | 4.568 C campaigns no more; term 4
        | 4.569 B asks for votes in term 5
        | 4.667 D votes for B in term 4
        | 4.667 E votes for B in term 4
        | 4.668 C asks who would vote for it in term 5
        | 4.670 C asks for votes in term 5
        | 4.869 B votes for itself in term 5
        | 4.870 D hears of term 5
        | 4.870 E hears of term 5
        | 4.970 C votes for itself in term 5
        | 5.170 D votes for B in term 5
        | 5.170 E votes for B in term 5
        | 5.171 B leads term 5
        | 5.172 C campaigns no more; term 5
        | 5.473 B its lease begins
        | 5.473 B has committed the no-op of term 5
        expect leader any for 10s
