# All hosts lose power and come back one by one: each waits for one E, then a majority is enough.
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
        propose A x
        | 3.000 A has x in its log
+100ms  crash A keeping
        | 3.001 B has x in its log
        | 3.001 C has x in its log
        | 3.001 A has x in its file
        | 3.002 B has x in its file
        | 3.002 C has x in its file
        | 3.003 A commits x
        | 3.004 B commits x
        | 3.004 C commits x
        | 3.100 A is down
        crash B keeping
        | 3.100 B is down
        crash C keeping
        | 3.100 C is down
+1s     start C
        | 3.906 A its lease ends
        | 4.100 C starts again, in term 1
+700ms  start B
        | 4.800 B starts again, in term 1
        expect held C
        expect leader any within 1.2s
        | 5.200 C asks who would vote for it in term 2
        | 5.803 C asks for votes in term 2
        | 5.804 C votes for itself in term 2
        | 5.805 B hears of term 2
        | 5.806 B votes for C in term 2
        | 5.807 C leads term 2
        | 5.810 C its lease begins
        | 5.810 C has committed the no-op of term 2
        expect applied x B C within 10ms
        start A
        | 5.811 A starts again, in term 1
        expect applied x A within 200ms
        | 5.908 A hears of term 2
