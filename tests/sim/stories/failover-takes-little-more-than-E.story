# The outage: the leader dies right after a heartbeat. The voter heard it a little later than the candidate did; the candidate
# asks again at the very end of the voter's promise, not a heartbeat or a timeout later.
cluster A B X net=1ms disk=2ms
        start A B X
        | 0.000 A starts
        | 0.000 B starts
        | 0.000 X starts
3s      expect leader A
        | 1.000 A asks who would vote for it in term 1
        | 1.002 A asks for votes in term 1
        | 1.004 A votes for itself in term 1
        | 1.005 B hears of term 1
        | 1.005 X hears of term 1
        | 1.007 B votes for A in term 1
        | 1.007 X votes for A in term 1
        | 1.008 A leads term 1
        | 1.012 A its lease begins
        | 1.012 A has committed the no-op of term 1
        delay APPEND A > X 30ms       # X hears everything 30 ms later than B
3.5s    mark
        expect sent APPEND A 2 within 110ms
+2ms    crash A
        | 3.510 A is down
        expect leader none for 1020ms
        | 4.408 A its lease ends
        | 4.509 B asks who would vote for it in term 2
        expect leader B within 40ms   # 1 s + 31 ms + the votes, the writes, the commit
        | 4.542 B asks for votes in term 2
        | 4.544 B votes for itself in term 2
        | 4.545 X hears of term 2
        | 4.547 X votes for B in term 2
        | 4.548 B leads term 2
        | 4.552 B its lease begins
        | 4.552 B has committed the no-op of term 2
        expect term-growth 1
        expect lease B within 5ms
