# Scenario 8: vipd is stopped for good: the address ends with the kernel's lifetime, and the other node has one that works.
cluster A B X
        on A B X
        expect sync A B within 9s
+1s     stop vipd A 1000s
        expect serves B within 6s
        expect serves B for 5s
        expect no-address A
