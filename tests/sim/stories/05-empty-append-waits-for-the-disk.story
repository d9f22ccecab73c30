# An empty append is no shortcut: it acknowledges nothing that is not yet on disk (yugabyte-db 32875).
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
        cut A | X                     # only B can help to commit
        disk B 450ms
        propose A x
        | 3.000 A has x in its log
        expect unapplied x A B X for 440ms   # four rounds of heartbeats go by
        | 3.001 B has x in its log
        | 3.001 A has x in its file
        expect no-disk B x
        expect applied x A within 50ms
        | 3.451 B has x in its file
        | 3.452 A commits x
        expect disk B x
