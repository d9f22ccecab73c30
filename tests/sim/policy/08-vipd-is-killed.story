# Scenario 8: vipd is killed and started again at once: it takes back what is leased.
cluster A B X
        on A B X
        expect sync A B within 9s
+1s     mark
        kill vipd A
        expect serves A within 300ms
+5s     expect changes 0
