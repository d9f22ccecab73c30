# What a fence lets go of is visible on the fenced server, and nobody else has it: it is not opened again in the same term.
cluster A B X mysql
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
        cut A | B X
        | 2.44 - nobody serves
+1s     expect no-address A
        | 3.23 A closes
        | 3.23 A has the address no more
        | 3.40 A leads no more
        | 3.40 B receives no more
        | 3.41 B leads term 2
        | 3.41 - primary B, epoch 2 (failover)
        | 3.41 - sync {B}, acks 0
        | 3.41 B has the record of epoch 2 written
        | 3.41 - the record of epoch 2 is committed
        | 3.42 B opens
        | 3.42 B has the address
        | 3.42 - B serves
        expect closed A
        expect serves B within 600ms
        expect no-answers A for 3s
