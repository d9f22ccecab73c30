# The same, and B cannot know the new term when the message arrives: its votes are asked for in a term that is taken.
cluster A B C
        start A B C
3s      expect leader A
        end-lease A
        release A
        delay TIMEOUT_NOW A > B 3s
        transfer A to B
        cut B | A C
        mark
        expect leader any within 2.5s
        expect lease C within 10ms
5.9s    expect leader C
        heal
        drop APPEND C > B                     # B is to learn of term 2 from nobody
        drop PREVOTE B > A
        drop PREVOTE B > C
        expect role B candidate within 200ms  # now it has arrived
        expect leader C for 150ms
        heal
        expect leader any within 2.5s
        expect leader any for 5s
