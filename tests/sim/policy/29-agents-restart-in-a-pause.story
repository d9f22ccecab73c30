# Scenario 29: the primary's agent is restarted within a pause: its clients wait once, nothing else.
cluster A B X
        on A B X
        expect sync A B within 9s
        pause 20s
+200ms  mark
        told-to-stop A
+5s     expect serves A
        expect gap 1500ms
        expect primary A
        resume
+500ms  mark
        kill server A
        expect serves B within 1s
