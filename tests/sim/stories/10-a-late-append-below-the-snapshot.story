# An append from before a compaction arrives after it: what it holds is in the snapshot, and is not taken a second time
# (willemt/raft 118, RedisLabs/raft 49).
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
        delay APPEND A > B 500ms
        propose A x                   # B has it from the next round, long before this message
        | 3.000 A has x in its log
+50ms   heal
        | 3.001 C has x in its log
        | 3.001 A has x in its file
        | 3.002 C has x in its file
        | 3.003 A commits x
        | 3.004 C commits x
        propose A y
        | 3.050 A has y in its log
        expect applied y B within 200ms
        | 3.051 C has y in its log
        | 3.051 A has y in its file
        | 3.052 C has y in its file
        | 3.053 B has x y in its log
        | 3.053 B commits x
        | 3.053 A commits y
        | 3.054 B has x y in its file
        | 3.054 C commits y
        | 3.056 B commits y
        compact B
        | 3.056 B its log begins after 3
        expect log-start B 3
        mark
+460ms  expect log-start B 3          # it has come: it would begin at entry 2
        expect commit B 3
        propose A z
        | 3.516 A has z in its log
        expect applied z A B C within 200ms
        | 3.517 B has z in its log
        | 3.517 C has z in its log
        | 3.517 A has z in its file
        | 3.518 B has z in its file
        | 3.518 C has z in its file
        | 3.519 A commits z
        | 3.520 B commits z
        | 3.520 C commits z
        expect same-state A B C within 10ms
        crash B
        | 3.520 B is down
        start B
        | 3.520 B starts again, in term 1
        | 3.520 B its log begins after 3
        expect applied z B within 1.3s
        expect same-state A B C within 200ms
