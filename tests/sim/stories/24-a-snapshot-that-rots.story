# A bit of what is durable is flipped while a member is down: it refuses to start rather than go on without what it promised,
# and comes back as a new member, with a snapshot from the leader.
cluster A B C chunk=64
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
        propose A x
        | 3.000 A has x in its log
        propose A y
        | 3.000 A has y in its log
        expect applied y C within 10ms
        | 3.001 B has x in its log
        | 3.001 C has x in its log
        | 3.001 A has x y in its file
        | 3.001 B has y in its log
        | 3.001 C has y in its log
        | 3.002 B has x y in its file
        | 3.002 C has x y in its file
        | 3.003 A commits x
        | 3.003 A commits y
        | 3.004 B commits x y
        | 3.004 C commits x y
        compact C
        | 3.004 C its log begins after 3
        compact A
        | 3.004 A its log begins after 3
        crash C
        | 3.004 C is down
        disk C rots 7
        start C
        | 3.004 C finds its disk damaged, and stays down
        expect refused C
        remove C at A
        | 3.004 A has the membership in its log
        | 3.004 A counts the members A B
        expect members A A B within 10ms
        wipe C
        | 3.004 C drops x y from its file
        start C
        | 3.004 C starts
+50ms   add C at A
        | 3.005 B has the membership in its log
        | 3.005 B counts the members A B
        | 3.005 A has the membership in its file
        | 3.006 B has the membership in its file
        | 3.007 A commits the membership
        | 3.008 B commits the membership
        | 3.054 A has the membership in its log
        | 3.054 A counts the members A B +C
        expect members A A B +C
        expect log-start C 3 within 500ms
        | 3.055 B has the membership in its log
        | 3.055 B counts the members A B +C
        | 3.055 C hears of term 1
        | 3.055 A has the membership in its file
        | 3.056 B has the membership in its file
        | 3.057 A commits the membership
        | 3.057 A sends its snapshot up to 3
        | 3.058 B commits the membership
        | 3.070 C its log begins after 3
        | 3.070 C counts the members A B an earlier member
        expect same-state A B C within 200ms
        | 3.073 C has the membership the membership in its log
        | 3.073 C counts the members A B +C
        | 3.073 C commits the membership the membership
+200ms  promote C at A
        | 3.074 C has the membership the membership in its file
        | 3.273 A has the membership in its log
        | 3.273 A counts the members A B C
        expect members C A B C within 200ms
        | 3.274 B has the membership in its log
        | 3.274 B counts the members A B C
        | 3.274 C has the membership in its log
        | 3.274 C counts the members A B C
        crash A
        | 3.274 A is down
        expect leader any within 2s
        | 3.275 B has the membership in its file
        | 3.275 C has the membership in its file
        | 4.106 A its lease ends
        | 4.274 B asks who would vote for it in term 2
        | 4.276 B asks for votes in term 2
        | 4.277 B votes for itself in term 2
        | 4.278 C hears of term 2
        | 4.279 C votes for B in term 2
        | 4.280 B leads term 2
        | 4.283 B its lease begins
        | 4.283 B commits the membership
        | 4.283 B has committed the no-op of term 2
