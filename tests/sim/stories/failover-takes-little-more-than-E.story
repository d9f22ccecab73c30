# The outage: the leader dies right after a heartbeat. The voter heard it a little later than the candidate did; the candidate
# asks again at the very end of the voter's promise, not a heartbeat or a timeout later.
cluster A B X net=1ms disk=2ms
        start A B X
3s      expect leader A
        delay APPEND A > X 30ms       # X hears everything 30 ms later than B
3.5s    mark
        expect sent APPEND A 2 within 110ms
+2ms    crash A
        expect leader none for 1020ms
        expect leader B within 40ms   # 1 s + 31 ms + the votes, the writes, the commit
        expect term-growth 1
        expect lease B within 5ms
