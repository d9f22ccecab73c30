# TIMEOUT_NOW may arrive very late. The old leader has stepped down for good, so whoever leads then, there is never a second lease.
cluster A B X
        start A B X
3s      expect leader A
        end-lease A
        release A
        delay TIMEOUT_NOW A > B 5s
        transfer A to B
        expect role A follower                # not renewed in this term, whatever happens to the message
        renew A refused not-leader
        expect leader any within 2.5s
        expect leader any for 6s              # it arrives in between, of an old term
        expect term-growth 2
