# Two appends arrive in the wrong order, and the receiver crashes before its disk is done (etcd 6378).
cluster A B C
        start A B C
3s      expect leader A
        cut A | C
        disk B 30ms
        delay APPEND A > B 20ms
        propose A x
+1ms    heal
        cut A | C
        propose A y                   # it arrives first and does not fit
+40ms   crash B
        start B
        expect applied x A B within 1.2s
        expect applied y A B within 1.2s
        heal
        expect applied y C within 200ms
