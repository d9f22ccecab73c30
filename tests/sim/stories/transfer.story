# A planned handover: the lease ends, its powers are released, the target takes over within a few round trips.
cluster A B X
        start A B X
3s      expect leader A
        propose A x
        transfer A to B refused busy          # its lease lives
        end-lease A
        transfer A to B refused busy          # ended, but published until later
        renew A refused busy
        transfer A to X refused invalid
        release A
        expect no-lease A
        mark
        transfer A to B
        expect leader B within 15ms
        expect term-growth 1
        expect applied x B
        expect lease B
        propose A y refused not-leader
        expect leader B for 5s
