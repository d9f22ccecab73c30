# A leader whose disk hangs makes room, though its heartbeats could go on, and is not elected again
# (hashicorp/raft 503, 614).
cluster A B C
        start A B C
3s      expect leader A
        disk A hangs
        propose A x
        expect applied x A B C within 10ms    # the others make a majority
        expect leader B within 2.5s
        mark
        crash C
+3s     expect leader none                    # A's vote cannot come to its disk
        expect sent PREVOTE A 0               # so it does not ask for others' either
        expect waits A disk
        disk A works
        expect leader B within 1.5s
        expect applied x A within 1s
