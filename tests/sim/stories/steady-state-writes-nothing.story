# Heartbeats cost messages, never a write, and terms stay.
cluster A B X
        start A B X
3s      expect leader A
        mark
        disk A hangs
        disk B hangs
        disk X hangs
        expect leader A for 5s
        expect lease A
        expect term-growth 0
