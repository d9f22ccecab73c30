# A leader that removes itself and dies has the only copy of that. Back again, it has no vote in its own list, and B cannot win
# without it, for its log is shorter: it must campaign, and brings the entry to B (dissertation 4.2.2).
cluster A B
        start A B
        | 0.000 A starts
        | 0.000 B starts
3s      expect leader A
        | 1.000 A asks who would vote for it in term 1
        | 1.002 A asks for votes in term 1
        | 1.003 A votes for itself in term 1
        | 1.004 B hears of term 1
        | 1.005 B votes for A in term 1
        | 1.006 A leads term 1
        | 1.009 A its lease begins
        | 1.009 A has committed the no-op of term 1
        drop APPEND A > B
        remove A at A
        | 3.000 A has the membership in its log
        | 3.000 A counts the members B
        expect members A B
+10ms   crash A keeping
        | 3.001 A has the membership in its file
        | 3.010 A is down
        heal
        expect members B A B
        start A
        | 3.010 A starts again, in term 1
        expect members A B
        expect members B B within 10s
        | 3.806 A its lease ends
        | 3.907 B asks who would vote for it in term 2
        | 4.060 A asks who would vote for it in term 2
        | 4.062 A asks for votes in term 2
        | 4.063 A votes for itself in term 2
        | 4.064 B campaigns no more; term 2
        | 4.065 B votes for A in term 2
        | 4.066 A leads term 2
        | 4.069 B has the membership in its log
        | 4.069 B counts the members B
        expect leader B within 3s
        | 4.070 B has the membership in its file
        | 4.071 A leads no more; term 2
        | 4.071 A commits the membership
        | 5.069 B asks for votes in term 3
        | 5.070 B votes for itself in term 3
        | 5.070 B leads term 3
        | 5.071 B its lease begins
        | 5.071 B commits the membership
        | 5.071 B has committed the no-op of term 3
