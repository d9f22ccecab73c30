# Two appends arrive in the wrong order, and the receiver crashes before its disk is done (etcd 6378).
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
        disk B 30ms
        delay APPEND A > B 20ms
        propose A x
        | 3.000 A has x in its log
+1ms    heal
        | 3.001 A has x in its file
        cut A | C
        propose A y                   # it arrives first and does not fit
        | 3.001 A has y in its log
+25ms   crash B                       # the first has arrived, too; what it stored is not on the disk yet
        | 3.002 A has y in its file
        | 3.004 B has x y in its log
        | 3.026 B is down
        start B
        | 3.026 B starts again, in term 1
        expect applied x A B within 1.2s
        | 3.109 B has x y in its log
        | 3.139 B has x y in its file
        | 3.140 A commits x y
        | 3.141 B commits x y
        expect applied y A B within 1.2s
        heal
        expect applied y C within 200ms
        | 3.209 C has x y in its log
        | 3.209 C commits x y
