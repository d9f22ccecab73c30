# Scenario 3: the same, and the arbiter is down too: no promotion until one of them is back.
cluster A B X
        on A B X
        expect sync A B within 9s
        off X
+2s     expect serves A               # the arbiter's death alone changes nothing
        mark
        off A
        expect serves none for 20s
        expect changes 0
        expect closed B
        on X
        expect serves B within 3s
