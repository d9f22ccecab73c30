# Scenario 8: vipd is killed and started again at once: it takes back what is leased.
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
+1s     mark
        kill vipd A
        | 2.44 A vipd ends
        expect serves A within 300ms
+5s     expect changes 0
        | 2.54 A vipd starts
        | 2.54 A has the address no more
        | 2.54 - nobody serves
        | 2.55 A has the address
        | 2.55 - A serves
