# Scenario 24: SIGSTOP to all processes of a host for longer than E, then resumed: its old lease is void at once.
cluster A B X
        on A B X
        expect sync A B within 9s
+1s     stop host A 5s
        expect serves B within 2500ms # the stopped kernel's address has a lifetime of its own
        mark
        expect closed A within 4s
        expect no-answers A for 3s
        expect follows A within 5s
        expect sync A B within 8s
        expect changes 0
