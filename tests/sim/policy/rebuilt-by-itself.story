# rejoin = auto: the old primary comes back with a transaction of its own. What it has alone is saved, it takes everything
# from the new primary, follows, and is a member again.
cluster A B X rejoin-auto
        on A B X
        | 0.00 A is on
        | 0.00 B is on
        | 0.00 X is on
        expect sync A B within 12s
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
+1s     cut A | B X
        | 2.44 - nobody serves
        expect serves B within 2s
        | 3.27 A server dies, open
        | 3.27 A has the address no more
        | 3.27 A leads no more
        | 3.40 B receives no more
        | 3.41 B leads term 2
        | 3.41 - primary B, epoch 2 (failover)
        | 3.41 - sync {B}, acks 0
        | 3.41 B has the record of epoch 2 written
        | 3.41 - the record of epoch 2 is committed
        | 3.42 B opens
        | 3.42 B has the address
        | 3.42 - B serves
        errant A
        heal
        expect aside A within 5s
        | 3.82 A server starts to follow
        | 4.83 - A is to be rebuilt
        expect sync B A within 10s
        | 4.83 A is rebuilt from B
        | 4.83 A dbworker ends
        | 4.86 A server dies
        | 5.36 A dbworker starts
        | 5.36 A its rebuild ends
        | 5.36 A server starts in place
        | 5.38 - A is no longer rebuilt
        | 5.41 A receives from B and acknowledges
        | 5.41 B its commits wait for 1 acknowledgement
        | 5.42 - sync {B A}, acks 1
        expect no-aside A within 1s
        expect follows A
        mark
+5s     expect gap 200ms
