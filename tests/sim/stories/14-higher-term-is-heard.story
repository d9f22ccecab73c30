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
        cut B | C
+1.5s   heal
        expect leader any within 1.2s
        expect leader any for 5s
