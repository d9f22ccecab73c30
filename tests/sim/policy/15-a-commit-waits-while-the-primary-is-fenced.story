# Scenario 15: a commit waits for its acknowledgement while the primary is fenced: never OK.
cluster A B X
        on A B X
        expect sync A B within 9s
        cut B > A                     # no acknowledgement comes back
+200ms  mark
        cut A > X
        cut A > B
        expect closed A within 1s
        expect serves B within 2s
        expect no-answers A for 5s
        heal
        expect follows A within 8s
