# Scenario 16: the crashed primary holds a transaction that nobody acknowledged: cut, then it follows.
cluster A B X
        on A B X
        expect sync A B within 9s
        cut A | B
+100ms  mark
        off A
        heal
        expect serves B within 2s
        on A
        expect follows A within 5s
        expect sync A B within 8s
        expect no-answers A
