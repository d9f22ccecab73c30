# A group of one counts itself only after its own fsync (etcd 14370).
cluster A disk=50ms
        start A
2s      expect leader A
        expect lease A
        propose A x
        expect unapplied x A for 45ms
        crash A
        start A
        expect held A                 # it waits out what it had promised itself
        expect leader A within 1.2s
        expect no-log A x
        propose A y
        expect applied y A within 60ms
