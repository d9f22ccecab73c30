# All hosts lose power and come back one by one: each waits for one E, then a majority is enough.
cluster A B C
        start A B C
3s      expect leader A
        propose A x
+100ms  crash A keeping
        crash B keeping
        crash C keeping
+1s     start C
+700ms  start B
        expect held C
        expect leader any within 1.2s
        expect applied x B C within 10ms
        start A
        expect applied x A within 200ms
