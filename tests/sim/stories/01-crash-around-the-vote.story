# A crash between the decision to vote and its record loses both term and vote, or neither (hashicorp/raft 661).
cluster A B X disk=20ms
        start A B X
        | 0.000 A starts
        | 0.000 B starts
        | 0.000 X starts
3s      expect leader A
        | 1.000 A asks who would vote for it in term 1
        | 1.002 A asks for votes in term 1
        | 1.022 A votes for itself in term 1
        | 1.023 B hears of term 1
        | 1.023 X hears of term 1
        | 1.043 B votes for A in term 1
        | 1.043 X votes for A in term 1
        | 1.044 A leads term 1
        | 1.066 A its lease begins
        | 1.066 A has committed the no-op of term 1
        mark
        crash A
        | 3.000 A is down
        expect sent VOTE B 2 within 1.2s
        | 3.844 A its lease ends
        | 3.945 B asks who would vote for it in term 2
        | 3.947 B asks for votes in term 2
        | 3.967 B votes for itself in term 2
+10ms   crash X                       # it has decided for B, the record is on its way to the disk
        | 3.968 X hears of term 2
        | 3.977 X is down
        expect sent VOTE_REPLY X 0
        start X
        | 3.977 X starts again, in term 1
        expect held X                 # it may have promised something to A
        expect leader B within 2.5s
        | 4.149 B campaigns no more; term 2
        | 4.249 B asks who would vote for it in term 3
        | 4.980 B asks for votes in term 3
        | 5.000 B votes for itself in term 3
        | 5.001 X hears of term 3
        | 5.021 X votes for B in term 3
        | 5.022 B leads term 3
        | 5.044 B its lease begins
        | 5.044 B has committed the no-op of term 3
        expect vote X B

# once more, and now the record survives
        start A
        | 5.044 A starts again, in term 1
+2s     expect leader B
        | 5.123 A hears of term 3
        mark
        crash B
        | 7.044 B is down
        expect sent VOTE A 2 within 1.2s
        | 7.922 B its lease ends
        | 8.023 A asks who would vote for it in term 4
        | 8.025 A asks for votes in term 4
        | 8.045 A votes for itself in term 4
+10ms   crash X keeping
        | 8.046 X hears of term 4
        | 8.055 X votes for A in term 4
        | 8.055 X is down
        expect vote X A               # term and vote came to the disk together
        start X
        | 8.055 X starts again, in term 4
        expect leader A within 2.5s
        | 8.227 A campaigns no more; term 4
        | 8.227 A asks who would vote for it in term 5
        | 9.058 A asks for votes in term 5
        | 9.078 A votes for itself in term 5
        | 9.079 X hears of term 5
        | 9.099 X votes for A in term 5
        | 9.100 A leads term 5
        | 9.122 A its lease begins
        | 9.122 A has committed the no-op of term 5
