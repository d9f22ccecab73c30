# Scenario 14: B died, A wrote on alone and died, B is back: not promoted; the operator is told what to choose.
cluster A B X
        on A B X
        expect sync A B within 9s
        off B
        expect sync A within 3s
+1s     off A
+1s     on B
        expect serves none for 20s
        expect waits B bring A back, or accept the loss
        on A
        expect serves A within 5s     # no loss was needed
        expect sync A B within 10s
