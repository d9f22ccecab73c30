# Scenario 12: the replica's applier is a long way behind when the primary dies: all of it is applied first.
cluster A B X
        on A B X
        expect sync A B within 9s
        applier B held 5s
+2s     off A
        expect leader B within 2s
        expect serves none for 1s
        expect serves B within 3s
