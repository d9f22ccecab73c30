# TIMEOUT_NOW goes out once the target has everything; meanwhile nothing new is taken.
cluster A B X
        start A B X
3s      expect leader A
        disk B 200ms
        propose A x
        end-lease A
        release A
        mark
        transfer A to B
        propose A y refused busy
        transfer A to B                       # asked again: the same transfer
        expect sent TIMEOUT_NOW A 0
        expect leader A for 150ms
        expect leader B within 700ms
        expect applied x B
