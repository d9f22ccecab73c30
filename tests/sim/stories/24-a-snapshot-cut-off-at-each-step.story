# The power fails within the making of a snapshot, one file operation later each time: the snapshot is there or it is not, and
# the log fits (hashicorp/raft 522).
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
        propose A x1
        | 3.000 A has x1 in its log
        expect applied x1 B within 200ms
        | 3.001 B has x1 in its log
        | 3.001 C has x1 in its log
        | 3.001 A has x1 in its file
        | 3.002 B has x1 in its file
        | 3.002 C has x1 in its file
        | 3.003 A commits x1
        | 3.004 B commits x1
        disk B power-fails-after 1
        compact B
        | 3.004 B is down
        expect down B
        disk B well
        start B
        | 3.004 B starts again, in term 1
        expect same-state A B within 1.3s
        | 3.004 C commits x1
        propose A x2
        | 3.007 A has x2 in its log
        expect applied x2 B within 200ms
        | 3.008 B has x2 in its log
        | 3.008 C has x2 in its log
        | 3.008 A has x2 in its file
        | 3.009 B has x2 in its file
        | 3.009 C has x2 in its file
        | 3.010 A commits x2
        | 3.011 B commits x2
        disk B power-fails-after 2
        compact B
        | 3.011 B is down
        expect down B
        disk B well
        start B
        | 3.011 B starts again, in term 1
        expect same-state A B within 1.3s
        | 3.011 C commits x2
        propose A x3
        | 3.107 A has x3 in its log
        expect applied x3 B within 200ms
        | 3.108 B has x3 in its log
        | 3.108 C has x3 in its log
        | 3.108 A has x3 in its file
        | 3.109 B has x3 in its file
        | 3.109 C has x3 in its file
        | 3.110 A commits x3
        | 3.111 B commits x3
        disk B power-fails-after 3
        compact B
        | 3.111 B is down
        expect down B
        disk B well
        start B
        | 3.111 B starts again, in term 1
        expect same-state A B within 1.3s
        | 3.111 C commits x3
        propose A x4
        | 3.207 A has x4 in its log
        expect applied x4 B within 200ms
        | 3.208 B has x4 in its log
        | 3.208 C has x4 in its log
        | 3.208 A has x4 in its file
        | 3.209 B has x4 in its file
        | 3.209 C has x4 in its file
        | 3.210 A commits x4
        | 3.211 B commits x4
        disk B power-fails-after 4
        compact B
        | 3.211 B is down
        expect down B
        disk B well
        start B
        | 3.211 B starts again, in term 1
        expect same-state A B within 1.3s
        | 3.211 C commits x4
        propose A x5
        | 3.307 A has x5 in its log
        expect applied x5 B within 200ms
        | 3.308 B has x5 in its log
        | 3.308 C has x5 in its log
        | 3.308 A has x5 in its file
        | 3.309 B has x5 in its file
        | 3.309 C has x5 in its file
        | 3.310 A commits x5
        | 3.311 B commits x5
        disk B power-fails-after 5
        compact B
        | 3.311 B is down
        expect down B
        disk B well
        start B
        | 3.311 B starts again, in term 1
        | 3.311 B its log begins after 6
        expect same-state A B within 1.3s
        propose A x6
        | 3.311 A has x6 in its log
        expect applied x6 B within 200ms
        | 3.311 C commits x5
        | 3.312 B has x6 in its log
        | 3.312 C has x6 in its log
        | 3.312 A has x6 in its file
        | 3.313 B has x6 in its file
        | 3.313 C has x6 in its file
        | 3.314 A commits x6
        | 3.315 B commits x6
        disk B power-fails-after 6
        compact B
        | 3.315 B is down
        expect down B
        disk B well
        start B
        | 3.315 B starts again, in term 1
        | 3.315 B its log begins after 7
        expect same-state A B within 1.3s
        propose A x7
        | 3.315 A has x7 in its log
        expect applied x7 B within 200ms
        | 3.315 C commits x6
        | 3.316 B has x7 in its log
        | 3.316 C has x7 in its log
        | 3.316 A has x7 in its file
        | 3.317 B has x7 in its file
        | 3.317 C has x7 in its file
        | 3.318 A commits x7
        | 3.319 B commits x7
        disk B power-fails-after 7
        compact B
        | 3.319 B is down
        expect down B
        disk B well
        start B
        | 3.319 B starts again, in term 1
        | 3.319 B its log begins after 8
        expect same-state A B within 1.3s
        propose A x8
        | 3.319 A has x8 in its log
        expect applied x8 B within 200ms
        | 3.319 C commits x7
        | 3.320 B has x8 in its log
        | 3.320 C has x8 in its log
        | 3.320 A has x8 in its file
        | 3.321 B has x8 in its file
        | 3.321 C has x8 in its file
        | 3.322 A commits x8
        | 3.323 B commits x8
        disk B power-fails-after 8
        compact B
        | 3.323 B is down
        expect down B
        disk B well
        start B
        | 3.323 B starts again, in term 1
        | 3.323 B its log begins after 9
        expect same-state A B within 1.3s
        propose A x9
        | 3.323 A has x9 in its log
        expect applied x9 B within 200ms
        | 3.323 C commits x8
        | 3.324 B has x9 in its log
        | 3.324 C has x9 in its log
        | 3.324 A has x9 in its file
        | 3.325 B has x9 in its file
        | 3.325 C has x9 in its file
        | 3.326 A commits x9
        | 3.327 B commits x9
        disk B power-fails-after 9
        compact B
        | 3.327 B is down
        expect down B
        disk B well
        start B
        | 3.327 B starts again, in term 1
        | 3.327 B its log begins after 10
        expect same-state A B within 1.3s
        propose A x10
        | 3.327 A has x10 in its log
        expect applied x10 B within 200ms
        | 3.327 C commits x9
        | 3.328 B has x10 in its log
        | 3.328 C has x10 in its log
        | 3.328 A has x10 in its file
        | 3.329 B has x10 in its file
        | 3.329 C has x10 in its file
        | 3.330 A commits x10
        | 3.331 B commits x10
        disk B power-fails-after 10
        compact B
        | 3.331 B is down
        expect down B
        disk B well
        start B
        | 3.331 B starts again, in term 1
        | 3.331 B its log begins after 11
        expect same-state A B within 1.3s
        propose A x11
        | 3.331 A has x11 in its log
        expect applied x11 B within 200ms
        | 3.331 C commits x10
        | 3.332 B has x11 in its log
        | 3.332 C has x11 in its log
        | 3.332 A has x11 in its file
        | 3.333 B has x11 in its file
        | 3.333 C has x11 in its file
        | 3.334 A commits x11
        | 3.335 B commits x11
        disk B power-fails-after 11
        compact B
        | 3.335 B is down
        expect down B
        disk B well
        start B
        | 3.335 B starts again, in term 1
        | 3.335 B its log begins after 12
        expect same-state A B within 1.3s
        propose A x12
        | 3.335 A has x12 in its log
        expect applied x12 B within 200ms
        | 3.335 C commits x11
        | 3.336 B has x12 in its log
        | 3.336 C has x12 in its log
        | 3.336 A has x12 in its file
        | 3.337 B has x12 in its file
        | 3.337 C has x12 in its file
        | 3.338 A commits x12
        | 3.339 B commits x12
        disk B power-fails-after 12
        compact B
        | 3.339 B is down
        expect down B
        disk B well
        start B
        | 3.339 B starts again, in term 1
        | 3.339 B its log begins after 13
        expect same-state A B within 1.3s
        propose A y
        | 3.339 A has y in its log
        expect applied y A B C within 200ms
        | 3.339 C commits x12
        | 3.340 B has y in its log
        | 3.340 C has y in its log
        | 3.340 A has y in its file
        | 3.341 B has y in its file
        | 3.341 C has y in its file
        | 3.342 A commits y
        | 3.343 B commits y
        | 3.343 C commits y
        compact B
        | 3.343 B its log begins after 14
        expect same-state A B C
