# Nobody confirms the release: then the published deadline has to pass.
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
        end-lease A
+750ms  transfer A to B refused busy
+160ms  expect no-lease A
        | 3.806 A its lease ends
        transfer A to B
        | 3.910 A leads no more; term 1
        expect leader B within 15ms
        | 3.911 B asks for votes in term 2
        | 3.912 B votes for itself in term 2
        | 3.913 A hears of term 2
        | 3.913 X hears of term 2
        | 3.914 A votes for B in term 2
        | 3.914 X votes for B in term 2
        | 3.915 B leads term 2
        | 3.918 B its lease begins
        | 3.918 B has committed the no-op of term 2
