# A crash between the decision to vote and its record loses both term and vote, or neither (hashicorp/raft 661).
cluster A B X disk=20ms
        start A B X
3s      expect leader A
        mark
        crash A
        expect sent VOTE B 2 within 1.2s
+10ms   crash X                       # it has decided for B, the record is on its way to the disk
        expect sent VOTE_REPLY X 0
        start X
        expect held X                 # it may have promised something to A
        expect leader B within 2.5s
        expect vote X B

# once more, and now the record survives
        start A
+2s     expect leader B
        mark
        crash B
        expect sent VOTE A 2 within 1.2s
+10ms   crash X keeping
        expect vote X A               # term and vote came to the disk together
        start X
        expect leader A within 2.5s
