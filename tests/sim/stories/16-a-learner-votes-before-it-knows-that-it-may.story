# D is a voter by an entry that it has not seen: without its vote nobody could be elected, and it gives it (etcd 10998).
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
        add D at A
        | 3.000 A has the membership in its log
        | 3.000 A counts the members A B C +D
+200ms  expect members D A B C +D
        | 3.001 B has the membership in its log
        | 3.001 B counts the members A B C +D
        | 3.001 C has the membership in its log
        | 3.001 C counts the members A B C +D
        | 3.001 D hears of term 1
        | 3.001 A has the membership in its file
        | 3.002 B has the membership in its file
        | 3.002 C has the membership in its file
        | 3.003 A commits the membership
        | 3.004 B commits the membership
        | 3.004 C commits the membership
        | 3.004 D has the membership in its log
        | 3.004 D counts the members A B C +D
        | 3.004 D commits the membership
        | 3.005 D has the membership in its file
        drop APPEND A > D
        promote D at A
        | 3.200 A has the membership in its log
        | 3.200 A counts the members A B C D
        expect members B A B C D within 50ms
        | 3.201 B has the membership in its log
        | 3.201 B counts the members A B C D
        expect members D A B C +D
        crash A                       # three of four must agree, and these are all that are left
        | 3.201 A is down
        expect leader B within 2s
        | 3.201 C has the membership in its log
        | 3.201 C counts the members A B C D
        | 3.202 B has the membership in its file
        | 3.202 C has the membership in its file
        | 4.006 A its lease ends
        | 4.201 B asks who would vote for it in term 2
        | 4.203 B asks for votes in term 2
        | 4.204 B votes for itself in term 2
        | 4.205 C hears of term 2
        | 4.205 D hears of term 2
        | 4.206 C votes for B in term 2
        | 4.206 D votes for B in term 2
        | 4.207 B leads term 2
        | 4.210 D has the membership in its log
        | 4.210 D counts the members A B C D
        | 4.211 D has the membership in its file
        | 4.212 B its lease begins
        | 4.212 B commits the membership
        | 4.212 B has committed the no-op of term 2
        expect members D A B C D within 50ms
