# Two nodes alone: one of them is never a quorum (NuRaft 151).
cluster A B
        start A B
3s      expect leader A
        crash B
        expect leader none within 1.2s
        expect no-lease A
        mark
        expect leader none for 20s
        expect term-growth 0
        start B
        expect leader any within 1.5s
