# TIMEOUT_NOW may arrive very late. The old leader has stepped down for good, so whoever leads then, there is never a second lease.
cluster A B X
        start A B X
        | 0.000 A starts
        | 0.000 B starts
        | 0.000 X starts
3s      expect leader A
        | 1.000 A asks who would vote for it in term 1
        | 1.002 A asks for votes in term 1
        | 1.003 A votes for itself in term 1
        | 1.004 B hears of term 1
        | 1.004 X hears of term 1
        | 1.005 B votes for A in term 1
        | 1.005 X votes for A in term 1
        | 1.006 A leads term 1
        | 1.009 A its lease begins
        | 1.009 A has committed the no-op of term 1
        end-lease A
        release A
        | 3.000 A lets go of its lease
        delay TIMEOUT_NOW A > B 5s
        transfer A to B
        | 3.000 A leads no more; term 1
        expect role A follower                # not renewed in this term, whatever happens to the message
        renew A refused not-leader
        expect leader any within 2.5s
        | 3.907 B asks who would vote for it in term 2
        | 3.909 B asks for votes in term 2
        | 3.910 B votes for itself in term 2
        | 3.911 A hears of term 2
        | 3.911 X hears of term 2
        | 3.912 A votes for B in term 2
        | 3.912 X votes for B in term 2
        | 3.913 B leads term 2
        | 3.916 B its lease begins
        | 3.916 B has committed the no-op of term 2
        expect leader any for 6s              # it arrives in between, of an old term
        expect term-growth 2
