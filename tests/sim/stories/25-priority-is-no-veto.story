# A campaign delay lets others go first; alone, the node goes in the end (NuRaft leader priority notes).
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
        campaign-delay B 800ms
        crash A
        | 3.000 A is down
        expect leader C within 1.2s   # the one without a delay
        | 3.806 A its lease ends
        | 3.957 C asks who would vote for it in term 2
        | 3.959 C asks for votes in term 2
        | 3.960 C votes for itself in term 2
        | 3.961 B hears of term 2
        | 3.962 B votes for C in term 2
        | 3.963 C leads term 2
        | 3.966 C its lease begins
        | 3.966 C has committed the no-op of term 2
        start A
        | 3.966 A starts again, in term 1
        campaign-delay A 60s          # bounded to 4 E
        campaign-delay B 60s
+2s     expect leader C
        | 4.064 A hears of term 2
        crash C
        | 5.966 C is down
        expect waits A campaign delay within 1.5s
        | 6.863 C its lease ends
        expect leader any within 5.3s
        | 10.964 A asks who would vote for it in term 3
        | 10.966 A asks for votes in term 3
        | 10.967 A votes for itself in term 3
        | 10.968 B hears of term 3
        | 10.969 B votes for A in term 3
        | 10.970 A leads term 3
        | 10.973 A its lease begins
        | 10.973 A has committed the no-op of term 3
