# Scenario 21: a moment later: the epoch record is written, not open yet.
cluster A B X
        on A B X
        expect sync A B within 9s
        off A
        expect primary B within 2s
+3ms    kill agent B
        expect serves B within 5s
        on A
        expect sync A B within 10s
