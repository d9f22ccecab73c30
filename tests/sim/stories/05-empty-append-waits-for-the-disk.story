# An empty append is no shortcut: it acknowledges nothing that is not yet on disk (yugabyte-db 32875).
cluster A B X
        start A B X
3s      expect leader A
        cut A | X                     # only B can help to commit
        disk B 450ms
        propose A x
        expect unapplied x A B X for 440ms   # four rounds of heartbeats go by
        expect no-disk B x
        expect applied x A within 50ms
        expect disk B x
