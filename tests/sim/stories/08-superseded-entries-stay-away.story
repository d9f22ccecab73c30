# What was truncated does not come back with a restart (etcd 22442).
cluster A B C
        start A B C
3s      expect leader A
        cut A | B C
        propose A x
        propose A y
+100ms  expect disk A y
        expect leader B within 2s
        propose B z
+10ms   heal
        expect applied z A B C within 1s
        expect no-disk A x within 10ms
        crash A
        start A
        expect no-log A x
        expect no-log A y
        expect log A z
        crash B
        expect leader A within 2.5s
        expect applied z A C within 10ms
