# Scenarios 4 and 5: the primary is partitioned from everybody, its clients with it; then the partition heals.
cluster A B X
        on A B X
        expect sync A B within 9s
+1s     mark
        cut A | B X
+900ms  expect no-address A           # gone before the new lease begins
        expect closed A
        expect serves B within 600ms
        mark
        expect no-answers A for 5s
        heal
        expect follows A within 6s    # what it had alone, nobody was told
        expect sync A B within 8s
        expect no-answers A
        expect changes 0
