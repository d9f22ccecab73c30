# The same, and B cannot know the new term when the message arrives: its votes are asked for in a term that is taken.
cluster A B C
        start A B C
        | 0.000 A starts
        | 0.000 B starts
        | 0.000 C starts
3s      expect leader A
        | 1.000 A asks who would vote for it in term 1
        | 1.002 A asks for votes in term 1
        | 1.003 A votes for itself in term 1
        | 1.004 B hears of term 1
        | 1.004 C hears of term 1
        | 1.005 B votes for A in term 1
        | 1.005 C votes for A in term 1
        | 1.006 A leads term 1
        | 1.009 A its lease begins
        | 1.009 A has committed the no-op of term 1
        end-lease A
        release A
        | 3.000 A lets go of its lease
        delay TIMEOUT_NOW A > B 3s
        transfer A to B
        | 3.000 A leads no more; term 1
        cut B | A C
        mark
        expect leader any within 2.5s
        | 3.907 B asks who would vote for it in term 2
        | 3.957 C asks who would vote for it in term 2
        | 3.959 C asks for votes in term 2
        | 3.960 C votes for itself in term 2
        | 3.961 A hears of term 2
        | 3.962 A votes for C in term 2
        | 3.963 C leads term 2
        | 3.966 C its lease begins
        | 3.966 C has committed the no-op of term 2
        expect lease C within 10ms
5.9s    expect leader C
        heal
        drop APPEND C > B                     # B is to learn of term 2 from nobody
        drop PREVOTE B > A
        drop PREVOTE B > C
        expect role B candidate within 200ms  # now it has arrived
        | 6.001 B asks for votes in term 2
        expect leader C for 150ms
        | 6.002 B votes for itself in term 2
        | 6.104 B campaigns no more; term 2
        heal
        expect leader any within 2.5s
        expect leader any for 5s
