# Three data nodes, MariaDB: B is the member, C receives beside it and has more of what A wrote last. C is promoted, as B's position
# shows that it has all that was acknowledged. It need not become a member first: that would ask for one position more.
cluster A B C mariadb
        on A B C
        | 0.00 A is on
        | 0.00 B is on
        | 0.00 C is on
        expect sync A B within 12s
        | 1.00 A leads term 1
        | 1.40 A server starts in place
        | 1.41 B server starts in place
        | 1.41 C server starts in place
        | 1.43 - primary A, epoch 1 (first start)
        | 1.43 - sync {A}, acks 0
        | 1.43 A has the record of epoch 1 written
        | 1.43 B receives from A and acknowledges
        | 1.43 C receives from A and acknowledges
        | 1.43 - the record of epoch 1 is committed
        | 1.43 A opens
        | 1.43 C receives no more
        | 1.44 A its commits wait for 1 acknowledgement
        | 1.44 C receives from A
        | 1.44 A has the address
        | 1.44 - A serves
        | 1.44 - sync {A B}, acks 1
+5s     replication to B 400ms
+2s     off A
        | 8.44 A is off
        | 8.44 - nobody serves
        expect serves C within 5s
        | 9.40 B receives no more
        | 9.41 C receives no more
        | 9.41 B leads term 2
        | 9.44 B leads no more
        | 9.44 C leads term 3
        | 9.44 - primary C, epoch 3 (failover)
        | 9.44 - sync {C B}, acks 1
        | 9.44 C has the record of epoch 3 written
        | 9.44 C its commits wait for 1 acknowledgement
        | 9.44 B receives from C and acknowledges
        | 9.45 - the record of epoch 3 is committed
        | 9.85 C opens
        | 9.86 C has the address
        | 9.86 - C serves
