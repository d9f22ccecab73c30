# A leader that learns of a higher term while its lease lives neither votes nor campaigns until the lease is over: among those
# whom E needs for a majority here, only A itself stands in the way.
cluster A B C D E
        start A B C D E
        | 0.000 A starts
        | 0.000 B starts
        | 0.000 C starts
        | 0.000 D starts
        | 0.000 E starts
3s      expect leader A
        | 1.000 A asks who would vote for it in term 1
        | 1.002 A asks for votes in term 1
        | 1.003 A votes for itself in term 1
        | 1.004 B hears of term 1
        | 1.004 C hears of term 1
        | 1.004 D hears of term 1
        | 1.004 E hears of term 1
        | 1.005 B votes for A in term 1
        | 1.005 C votes for A in term 1
        | 1.005 D votes for A in term 1
        | 1.005 E votes for A in term 1
        | 1.006 A leads term 1
        | 1.009 A its lease begins
        | 1.009 A has committed the no-op of term 1
        campaign-delay B 4s
        campaign-delay D 4s
        campaign-delay E 4s
        cut A | B C D E
        drop VOTE C > B
        drop VOTE C > D
        drop VOTE C > E
        mark
        expect term-growth 2 within 4s        # C uses terms up, in vain
        | 3.806 A its lease ends
        | 3.906 A leads no more; term 1
        | 3.957 C asks who would vote for it in term 2
        | 3.959 C asks for votes in term 2
        | 3.960 C votes for itself in term 2
        | 4.206 A asks who would vote for it in term 2
        | 4.959 C campaigns no more; term 2
        | 5.159 C asks who would vote for it in term 3
        | 5.161 C asks for votes in term 3
        heal
        cut C | A B D E
        expect leader A within 2s             # in a term below C's
        | 5.162 C votes for itself in term 3
        | 5.208 A asks for votes in term 2
        | 5.209 A votes for itself in term 2
        | 5.210 B hears of term 2
        | 5.210 D hears of term 2
        | 5.210 E hears of term 2
        | 5.211 B votes for A in term 2
        | 5.211 D votes for A in term 2
        | 5.211 E votes for A in term 2
        | 5.212 A leads term 2
        | 5.215 A its lease begins
        | 5.215 A has committed the no-op of term 2
        campaign-delay E 0ms
+200ms  cut A | E
        expect role E precandidate within 1.2s  # B and D hear A, and refuse
        | 6.161 C campaigns no more; term 3
        | 6.561 C asks who would vote for it in term 4
        | 6.563 E asks who would vote for it in term 3
        expect leader A
        heal
        cut C | B D
        drop APPEND A > E
        expect role A follower within 300ms   # C has told A of its term
        | 6.614 A leads no more; term 3
        expect lease A
        expect held A
        expect leader none for 700ms          # E and C would agree; A waits for its own lease
        | 6.665 E asks who would vote for it in term 4
        expect leader any within 2s
        | 7.412 A its lease ends
        | 7.412 A asks who would vote for it in term 4
        | 7.414 A asks for votes in term 4
        | 7.415 E asks for votes in term 4
        | 7.415 A votes for itself in term 4
        | 7.416 E votes for itself in term 4
        | 7.416 C campaigns no more; term 4
        | 7.417 C votes for A in term 4
        | 7.615 B hears of term 4
        | 7.615 D hears of term 4
        | 7.616 B votes for A in term 4
        | 7.616 D votes for A in term 4
        | 7.617 A leads term 4
        | 7.620 A its lease begins
        | 7.620 A has committed the no-op of term 4
