# Scenario 21: the agent restarts in the middle of a promotion: it is finished or undone.
cluster A B X
        on A B X
        expect sync A B within 9s
        off A
        expect primary B within 2s
        kill agent B
        expect serves B within 5s
