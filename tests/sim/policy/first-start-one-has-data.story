# One server has data, the others are empty: it becomes the first primary, by itself.
cluster A B C mysql
        on A B C
        | 0.00 A is on
        | 0.00 B is on
        | 0.00 C is on
        had-data B 20
        expect serves B within 12s
        | 1.00 A leads term 1
        | 1.40 A server starts in place
        | 1.41 B server starts in place
        | 1.41 C server starts in place
        | 1.43 A leads no more
        | 1.43 B leads term 2
        | 1.43 - primary B, epoch 2 (first start)
        | 1.43 - sync {B}, acks 0
        | 1.43 B has the record of epoch 2 written
        | 1.43 A receives from B and acknowledges
        | 1.43 C receives from B and acknowledges
        | 1.44 - the record of epoch 2 is committed
        | 1.44 B opens
        | 1.44 C receives no more
        | 1.44 B its commits wait for 1 acknowledgement
        | 1.44 B has the address
        | 1.44 - B serves
        expect change first-start
        expect sync A B C within 5s
        | 1.45 C has the record of epoch 2 written
        | 1.45 C receives from B
        | 1.45 - sync {B A}, acks 1
        | 1.45 - sync {B A C}, acks 1
