# In a pause vipd has a long lease. The agent is killed, and the next one does not know of that lease. When the server dies, too,
# the node has not let go of the address before vipd says so, and vipd hangs.
cluster A B X
        on A B X
        | 0.00 A is on
        | 0.00 B is on
        | 0.00 X is on
        expect sync A B within 9s
        | 1.00 A leads term 1
        | 1.40 A server starts in place
        | 1.41 B server starts in place
        | 1.43 - primary A, epoch 1 (first start)
        | 1.43 - sync {A}, acks 0
        | 1.43 A has the record of epoch 1 written
        | 1.43 B receives from A and acknowledges
        | 1.43 - the record of epoch 1 is committed
        | 1.43 A opens
        | 1.43 A its commits wait for 1 acknowledgement
        | 1.44 A has the address
        | 1.44 - A serves
        | 1.44 - sync {A B}, acks 1
        pause 20s
+200ms  stop vipd A 6s
        | 1.44 - pause, held by A
        kill agent A
        | 1.64 A agent ends
        expect leader A within 3s
        | 1.64 A dbworker ends
        | 1.74 A agent starts
        | 1.74 A dbworker starts
        | 2.60 B receives no more
        | 2.60 - nobody serves
        | 2.61 B leads term 2
        | 2.61 B leads no more
        | 3.61 A leads term 3
        mark
        kill server A
        | 3.61 A server dies, open
        expect serves A within 9s
        | 3.62 - primary A, epoch 3 (restart)
        | 5.02 A server starts in place
        | 5.03 A leads no more
        | 5.04 A leads term 4
        | 5.04 B receives from A and acknowledges
        | 5.04 B receives no more
        | 5.04 - primary A, epoch 4 (restart)
        | 5.04 - sync {A}, acks 0
        | 5.04 A has the record of epoch 4 written
        | 5.05 - the record of epoch 4 is committed
        | 5.05 A opens
        | 5.05 - A serves
