# Scenarios 9, 10: every write hangs: the write probe sees it.
cluster A B X
        on A B X
        expect sync A B within 9s
+1s     mark
        disk A hangs
        expect serves B within 3s
        expect changes 1
