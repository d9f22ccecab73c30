# A new leader may not know yet what is committed: it answers no read before its no-op is; and a read is confirmed only by a
# round that was sent after it was asked (etcd 7331, 20418).
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
        propose A x
        | 3.000 A has x in its log
+1500us cut A > B C                   # it still hears that x is on their disks
        | 3.001 B has x in its log
        | 3.001 C has x in its log
        | 3.001 A has x in its file
+50ms   crash A
        | 3.002 B has x in its file
        | 3.002 C has x in its file
        | 3.003 A commits x
        | 3.051 A is down
        expect role B leader within 1.2s
        | 3.806 A its lease ends
        | 4.001 B asks who would vote for it in term 2
        | 4.003 B asks for votes in term 2
        | 4.004 B votes for itself in term 2
        | 4.005 C hears of term 2
        | 4.006 C votes for B in term 2
        | 4.007 B leads term 2
        read B refused busy           # B has x; that it is committed it knows from nobody
        expect leader B within 10ms
        | 4.010 B its lease begins
        | 4.010 B commits x
        | 4.010 B has committed the no-op of term 2
        mark
        read B
        expect reads-done 1 within 10ms
        | 4.011 C commits x

# heard until a moment ago, and cut off: what was answered before is no answer to this read
        cut B | C
        mark
        read B
        read B                        # asked again: another read, with a round of its own
        expect reads-done 0 for 700ms
        expect role B follower within 500ms
        | 4.910 B its lease ends
        | 5.010 B leads no more; term 2
        expect reads-open 0
        expect reads-done 0
        read B refused not-leader
