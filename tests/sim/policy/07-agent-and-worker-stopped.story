# Scenario 7: nobody is left to fence: the server stays open, and can acknowledge nothing.
cluster A B X
        on A B X
        expect sync A B within 9s
+1s     stop agent A 6s
        stop worker A 6s
        expect serves B within 2s
        expect open A
        mark
        expect no-answers A for 4s
        expect closed A within 2s
        expect follows A within 5s
