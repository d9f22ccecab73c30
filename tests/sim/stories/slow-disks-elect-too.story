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
        | 1.555 A asks for votes in term 2
        | 1.603 D votes for A in term 1
        | 1.603 E votes for A in term 1
        | 1.604 B asks who would vote for it in term 2
        | 1.604 C campaigns no more; term 1
        | 1.606 B asks for votes in term 2
        | 1.804 C asks who would vote for it in term 2
        | 1.806 C asks for votes in term 2
        | 1.855 A votes for itself in term 2
        | 1.856 D hears of term 2
        | 1.856 E hears of term 2
        | 1.906 B votes for itself in term 2
        | 2.106 C votes for itself in term 2
        | 2.107 A campaigns no more; term 2
        | 2.107 A asks who would vote for it in term 3
        | 2.156 D votes for A in term 2
        | 2.156 E votes for A in term 2
        | 2.207 A asks for votes in term 3
        | 2.208 B campaigns no more; term 2
        | 2.256 C campaigns no more; term 2
        | 2.408 B asks who would vote for it in term 3
        | 2.410 B asks for votes in term 3
        | 2.507 A votes for itself in term 3
        | 2.508 C hears of term 3
        | 2.508 D hears of term 3
        | 2.508 E hears of term 3
        | 2.710 B votes for itself in term 3
        | 2.808 C votes for A in term 3
        | 2.808 D votes for A in term 3
        | 2.808 E votes for A in term 3
        | 2.809 A leads term 3
        | 2.810 B campaigns no more; term 3
        | 3.111 A its lease begins
        | 3.111 A has committed the no-op of term 3
        crash A
        | 3.111 A is down
        expect leader any within 4s
        | 3.709 A its lease ends
        | 4.112 B asks who would vote for it in term 4
        | 4.114 B asks for votes in term 4
        | 4.162 C asks who would vote for it in term 4
        | 4.164 C asks for votes in term 4
        | 4.210 D asks who would vote for it in term 4
        | 4.260 E asks who would vote for it in term 4
        | 4.414 B votes for itself in term 4
        | 4.415 D campaigns no more; term 4
        | 4.415 E campaigns no more; term 4
        | 4.464 C votes for itself in term 4
        | 4.565 B campaigns no more; term 4
        | 4.616 C campaigns no more; term 4
        | 4.665 B asks who would vote for it in term 5
        | 4.667 B asks for votes in term 5
        | 4.715 D votes for B in term 4
        | 4.715 E votes for B in term 4
        | 4.816 C asks who would vote for it in term 5
        | 4.818 C asks for votes in term 5
        | 4.967 B votes for itself in term 5
        | 4.968 D hears of term 5
        | 4.968 E hears of term 5
        | 5.118 C votes for itself in term 5
        | 5.268 D votes for B in term 5
        | 5.268 E votes for B in term 5
        | 5.269 B leads term 5
        | 5.270 C campaigns no more; term 5
        | 5.571 B its lease begins
        | 5.571 B has committed the no-op of term 5
        expect leader any for 10s
