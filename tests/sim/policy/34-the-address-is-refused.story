# Scenario 34, 8: the kernel refuses the address on the new primary's host: back to where it can be had.
cluster A B X
        on A B X
        expect sync A B within 9s
        address B refused
        kill server A
        expect serves A within 12s
        expect no-address B
