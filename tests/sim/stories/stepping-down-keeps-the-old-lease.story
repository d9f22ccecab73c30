# A leader that learns of a higher term while its lease lives neither votes nor campaigns until the lease is over: among those
# whom E needs for a majority here, only A itself stands in the way.
cluster A B C D E
        start A B C D E
3s      expect leader A
        campaign-delay B 4s
        campaign-delay D 4s
        campaign-delay E 4s
        cut A | B C D E
        drop VOTE C > B
        drop VOTE C > D
        drop VOTE C > E
        mark
        expect term-growth 2 within 4s        # C uses terms up, in vain
        heal
        cut C | A B D E
        expect leader A within 2s             # in a term below C's
        campaign-delay E 0ms
+200ms  cut A | E
        expect role E precandidate within 1.2s  # B and D hear A, and refuse
        expect leader A
        heal
        cut C | B D
        drop APPEND A > E
        expect role A follower within 300ms   # C has told A of its term
        expect lease A
        expect held A
        expect leader none for 700ms          # E and C would agree; A waits for its own lease
        expect leader any within 2s
