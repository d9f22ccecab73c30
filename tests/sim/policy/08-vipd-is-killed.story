# Scenario 8: vipd is killed and started again at once: it takes back what is leased.
cluster A B X
        on A B X
        | 0.000 A is on
        | 0.000 B is on
        | 0.000 X is on
        expect sync A B within 9s
        | 1.003 A leads term 1
        | 1.405 A server starts in place
        | 1.405 B server starts in place
        | 1.426 - primary A, epoch 1 (first start)
        | 1.426 - sync {A}, acks 0
        | 1.428 A has the record of epoch 1 written
        | 1.429 B receives from A and acknowledges
        | 1.431 - the record of epoch 1 is committed
        | 1.432 A opens
        | 1.433 A its commits wait for 1 acknowledgement
        | 1.438 A has the address
        | 1.438 - A serves
        | 1.441 - sync {A B}, acks 1
+1s     mark
        kill vipd A
        | 2.441 A vipd ends
        expect serves A within 300ms
+5s     expect changes 0
        | 2.541 A vipd starts
        | 2.541 A has the address no more
        | 2.541 - nobody serves
        | 2.565 A has the address
        | 2.565 - A serves
