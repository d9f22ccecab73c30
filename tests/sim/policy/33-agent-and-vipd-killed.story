# Scenario 33: agent and vipd killed in the same moment on a living host: the kernel's lifetime ends the address.
cluster A B X
        on A B X
        expect sync A B within 9s
        stays-down A
        kill agent A
        kill vipd A
        expect serves B within 3s
