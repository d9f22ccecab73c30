# A leader whose disk hangs makes room, though its heartbeats could go on, and is not elected again
# (hashicorp/raft 503, 614).
cluster A B C
        start A B C
3s      expect leader A
        disk A hangs
        propose A x
        expect applied x A B C within 10ms    # the others make a majority
        expect leader B within 2.5s
        crash C
+3s     expect leader none                    # A's vote cannot come to its disk
        disk A works
        expect leader B within 1.5s
        expect applied x A within 1s
