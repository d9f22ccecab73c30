# C was away when D became a voter and C was removed. In its own list D is a learner, and D leads by now: it is asked, too, and tells
# C that it is out.
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
+200ms  expect members C A B C +D
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
        crash C
        | 3.200 C is down
        promote D at A
        | 3.200 A has the membership in its log
        | 3.200 A counts the members A B C D
        expect members A A B C D within 50ms
+200ms  remove C at A
        | 3.201 B has the membership in its log
        | 3.201 B counts the members A B C D
        | 3.201 D has the membership in its log
        | 3.201 D counts the members A B C D
        | 3.201 A has the membership in its file
        | 3.202 B has the membership in its file
        | 3.202 D has the membership in its file
        | 3.203 A commits the membership
        | 3.204 B commits the membership
        | 3.204 D commits the membership
        | 3.400 A has the membership in its log
        | 3.400 A counts the members A B D
        expect members D A B D within 200ms
        | 3.401 B has the membership in its log
        | 3.401 B counts the members A B D
        | 3.401 D has the membership in its log
        | 3.401 D counts the members A B D
+200ms  campaign-delay B 5s
        | 3.401 A has the membership in its file
        | 3.402 B has the membership in its file
        | 3.402 D has the membership in its file
        | 3.403 A commits the membership
        | 3.404 B commits the membership
        | 3.404 D commits the membership
        crash A
        | 3.601 A is down
        expect leader D within 3s
        | 4.406 A its lease ends
        | 4.557 D asks who would vote for it in term 2
        | 4.559 D asks for votes in term 2
        | 4.560 D votes for itself in term 2
        | 4.561 B hears of term 2
        | 4.562 B votes for D in term 2
        | 4.563 D leads term 2
        | 4.566 D its lease begins
        | 4.566 D has committed the no-op of term 2
        start C
        | 4.566 C starts again, in term 1
        expect members C A B D within 5s
        | 5.666 C asks who would vote for it in term 2
        | 5.668 C asks who would vote for it in term 3
        | 5.668 C campaigns no more; term 2
        | 5.671 C has the membership the membership in its log
        | 5.671 C counts the members A B D
        | 5.671 C commits the membership the membership
        expect leader D
