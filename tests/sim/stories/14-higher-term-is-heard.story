# A voter of a higher term answers a PreVote, and its term is adopted: no waiting for ever (canonical/raft 279).
cluster A B C
        start A B C
3s      expect leader A
        end-lease A
        release A
        drop VOTE B > A
        drop VOTE B > C
        mark
        transfer A to B
+20ms   expect role B candidate       # B has used a term up that nobody knows
        expect term-growth 1
        crash A
        crash B
        heal
        campaign-delay B 4s           # it would rather not lead
        start B
        expect leader C within 1.3s   # though C has to ask for a higher term than it knew
        expect term-growth 2
        expect leader C for 5s
