# RequestVote leaves only after its own term, vote and log are on disk: a crash before that has used no term up.
cluster A B C
        start A B C
3s      expect leader A
        disk B 200ms
        crash A
        mark
        expect role B candidate within 1.2s
+150ms  expect sent VOTE B 0
        crash B
        disk B 1ms
        start B
        heal
        expect leader C within 2s     # B waits for one E after its restart
        expect term-growth 1
