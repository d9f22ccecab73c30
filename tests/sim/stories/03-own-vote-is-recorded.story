# A candidate's vote for itself is on its disk before anybody hears of it (nebula 3415).
cluster A B C
        start A B C
3s      expect leader A
        expect vote A A
        crash A
        expect leader B within 1.2s
        expect vote B B
        crash B
        start B
        expect vote B B
