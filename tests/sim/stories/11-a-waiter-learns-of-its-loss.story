# Who waits for an entry that another leader's entry replaced sees another term commit in its place (willemt/raft 130).
cluster A B C
        start A B C
3s      expect leader A
        expect commit A 1
        cut A | B C
        propose A x                   # at index 2
        expect leader B within 2s
        heal
        expect commit A 2 within 500ms
        expect no-log A x
        expect unapplied x A B C
