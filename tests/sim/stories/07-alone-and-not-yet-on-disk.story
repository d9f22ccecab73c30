# A group of one counts itself only after its own fsync (etcd 14370).
cluster A disk=50ms
        start A
        | 0.000 A starts
2s      expect leader A
        | 1.000 A asks for votes in term 1
        | 1.050 A votes for itself in term 1
        | 1.050 A leads term 1
        | 1.100 A its lease begins
        | 1.100 A has committed the no-op of term 1
        expect lease A
        propose A x
        | 2.000 A has x in its log
        expect unapplied x A for 45ms
        crash A
        | 2.045 A is down
        start A
        | 2.045 A starts again, in term 1
        expect held A                 # it waits out what it had promised itself
        expect leader A within 1.2s
        | 2.850 A its lease ends
        | 3.045 A asks for votes in term 2
        | 3.095 A votes for itself in term 2
        | 3.095 A leads term 2
        | 3.145 A its lease begins
        | 3.145 A has committed the no-op of term 2
        expect no-log A x
        propose A y
        | 3.145 A has y in its log
        expect applied y A within 60ms
        | 3.195 A has y in its file
        | 3.195 A commits y
