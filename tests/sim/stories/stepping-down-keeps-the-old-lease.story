# A leader that learns of a higher term neither votes nor campaigns until its last published deadline.
cluster A B C
        start A B C
3s      expect leader A
        cut B | C
        cut A > B                             # B hears nothing, A still hears B
        expect role B precandidate within 1.2s
        heal
+500ms  expect leader A
        expect lease A
        crash B
        crash C
        expect role A follower within 1.1s
        expect no-lease A
        expect free A
