# The arbiter's log gets shorter only behind a whole snapshot: B was down all the while and lacks what the logs have no more,
# A dies, and the arbiter brings B up to date from its own (braft witness notes).
cluster A B X
        start A B X
        | 0.000 A starts
        | 0.000 B starts
        | 0.000 X starts
3s      expect leader A
        | 1.000 A asks who would vote for it in term 1
        | 1.002 A asks for votes in term 1
        | 1.003 A votes for itself in term 1
        | 1.004 B hears of term 1
        | 1.004 X hears of term 1
        | 1.005 B votes for A in term 1
        | 1.005 X votes for A in term 1
        | 1.006 A leads term 1
        | 1.009 A its lease begins
        | 1.009 A has committed the no-op of term 1
        crash B
        | 3.000 B is down
        cut A | X
        propose A x times 300
        | 3.000 A has x1 x2 x3 x4 x5 x6 ... (300 in all) in its log
+10ms   heal
        | 3.001 A has x1 x2 x3 x4 x5 x6 ... (300 in all) in its file
        expect applied x300 A X within 200ms
        | 3.109 X has x1 x2 x3 x4 x5 x6 ... (64 in all) in its log
        | 3.110 X has x1 x2 x3 x4 x5 x6 ... (64 in all) in its file
        | 3.111 A commits x1 x2 x3 x4 x5 x6 ... (64 in all)
        | 3.112 X has x65 x66 x67 x68 x69 x70 ... (64 in all) in its log
        | 3.112 X commits x1 x2 x3 x4 x5 x6 ... (64 in all)
        | 3.112 X has x129 x130 x131 x132 x133 x134 ... (64 in all) in its log
        | 3.112 X has x193 x194 x195 x196 x197 x198 ... (64 in all) in its log
        | 3.112 X has x257 x258 x259 x260 x261 x262 ... (44 in all) in its log
        | 3.113 X has x65 x66 x67 x68 x69 x70 ... (236 in all) in its file
        | 3.114 A commits x65 x66 x67 x68 x69 x70 ... (64 in all)
        | 3.114 A commits x129 x130 x131 x132 x133 x134 ... (64 in all)
        | 3.114 A commits x193 x194 x195 x196 x197 x198 ... (64 in all)
        | 3.114 A commits x257 x258 x259 x260 x261 x262 ... (44 in all)
        | 3.115 X commits x65 x66 x67 x68 x69 x70 ... (236 in all)
        compact A
        | 3.115 A sends its snapshot up to 301
        | 3.115 A its log begins after 301
        expect log-start A 301
        expect log-start X 301 within 500ms
        | 3.117 X its log begins after 301
        propose A y
        | 3.117 A has y in its log
        expect applied y A X within 10ms
        | 3.118 X has y in its log
        | 3.118 A has y in its file
        | 3.119 X has y in its file
        | 3.120 A commits y
        | 3.121 X commits y
        crash A
        | 3.121 A is down
        start B
        | 3.121 B starts again, in term 1
        expect leader B within 3s
        | 4.006 A its lease ends
        | 4.171 B asks who would vote for it in term 2
        | 4.272 X asks who would vote for it in term 2
        | 4.274 X asks for votes in term 2
        | 4.275 X votes for itself in term 2
        | 4.276 B campaigns no more; term 2
        | 4.277 B votes for X in term 2
        | 4.278 X leads term 2
        | 4.280 X sends its snapshot up to 301
        | 4.281 B takes a snapshot up to 301
        | 4.284 B has y in its log
        | 4.284 B commits y
        | 4.285 B has y in its file
        | 4.286 X leads no more; term 2
        | 4.287 B asks for votes in term 3
        | 4.288 B votes for itself in term 3
        | 4.289 X hears of term 3
        | 4.290 X votes for B in term 3
        | 4.291 B leads term 3
        | 4.294 B its lease begins
        | 4.294 B has committed the no-op of term 3
        expect log-start B 301
        expect log B y
        expect lease B within 10ms
        start A
        | 4.294 A starts again, in term 1
        | 4.294 A its log begins after 301
        expect same-state A B within 2s
        | 4.392 A hears of term 3
