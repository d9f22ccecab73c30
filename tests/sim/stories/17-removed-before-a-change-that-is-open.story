# C was away when it was removed. Back again it asks, and the leader tells it: that it is out, which is committed, and in the
# same message a change that is open. That one is no reason for C to campaign, whoever dies.
cluster A B C +D
        start A B C D
        | 0.000 A starts
        | 0.000 B starts
        | 0.000 C starts
        | 0.000 D starts
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
        crash C
        | 3.000 C is down
        remove C at A
        | 3.000 A has the membership in its log
        | 3.000 A counts the members A B
        expect members B A B within 50ms
        | 3.001 B has the membership in its log
        | 3.001 B counts the members A B
+1050ms start C
        | 3.001 A has the membership in its file
        | 3.002 B has the membership in its file
        | 3.003 A commits the membership
        | 3.004 B commits the membership
        | 4.051 C starts again, in term 1
+1s     drop APPEND A > B             # the next change stays open
        add D at A
        | 5.051 A has the membership in its log
        | 5.051 A counts the members A B +D
        expect members C A B +D within 500ms
        | 5.052 D hears of term 1
        | 5.052 A has the membership in its file
        | 5.055 D has the membership the membership in its log
        | 5.055 D counts the members A B +D
        | 5.055 D commits the membership
        | 5.056 D has the membership the membership in its file
        | 5.151 C asks who would vote for it in term 2
        | 5.153 C campaigns no more; term 1
        | 5.155 C has the membership the membership in its log
        | 5.155 C counts the members A B +D
        | 5.155 C commits the membership
        expect commit C 2
        mark
        crash A
        | 5.155 A is down
+5s     expect sent PREVOTE C 0
        | 5.156 C has the membership the membership in its file
        | 5.906 A its lease ends
        | 6.007 B asks who would vote for it in term 2
        expect sent VOTE C 0
