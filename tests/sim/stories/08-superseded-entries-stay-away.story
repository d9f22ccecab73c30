# What was truncated does not come back with a restart (etcd 22442).
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
        propose A x
        | 3.000 A has x in its log
        propose A y
        | 3.000 A has y in its log
+100ms  expect disk A y
        | 3.001 A has x y in its file
        expect leader B within 2s
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
        propose B z
        | 3.916 B has z in its log
+10ms   heal
        | 3.917 C has z in its log
        | 3.917 B has z in its file
        | 3.918 C has z in its file
        | 3.919 B commits z
        | 3.920 C commits z
        expect applied z A B C within 1s
        | 4.014 A hears of term 2
        | 4.017 A drops x y from its log
        | 4.017 A has z in its log
        | 4.017 A commits z
        expect no-disk A x within 10ms
        | 4.018 A drops x y from its file
        | 4.018 A has z in its file
        crash A
        | 4.018 A is down
        start A
        | 4.018 A starts again, in term 2
        expect no-log A x
        expect no-log A y
        expect log A z
        crash B
        | 4.018 B is down
        expect leader A within 2.5s
        | 4.913 B its lease ends
        | 5.018 A asks who would vote for it in term 3
        | 5.020 A asks for votes in term 3
        | 5.021 A votes for itself in term 3
        | 5.022 C hears of term 3
        | 5.023 C votes for A in term 3
        | 5.024 A leads term 3
        | 5.027 A its lease begins
        | 5.027 A has committed the no-op of term 3
        expect applied z A C within 10ms
