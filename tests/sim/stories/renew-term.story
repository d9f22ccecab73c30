# A leader under a new term, in place: same conditions as a transfer.
cluster A B X
        start A B X
3s      expect leader A
        renew A refused busy
        end-lease A
        release A
        mark
        renew A
        expect leader A within 10ms
        expect term-growth 1
        expect lease A within 10ms
