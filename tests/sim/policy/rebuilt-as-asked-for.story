# An operator has a member of the sync set rebuilt: it leaves the set first, the standby takes its place, and the donor is that
# replica, not the primary. Rebuilt, it stands by.
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
+1s     mark
        rebuild A refused
        rebuild B
        expect aside B within 1s
        | 2.45 - B is to be rebuilt
        rebuild B refused
        expect sync A C within 5s
        | 2.51 - sync {A B C}, acks 1
        | 2.51 C receives no more
        | 2.51 C receives from A and acknowledges
        | 2.51 B receives no more
        | 2.52 - sync {A C}, acks 1
        expect outcome done within 10s
        | 2.52 B receives from A
        | 2.52 B is rebuilt from C
        | 2.52 B dbworker ends
        | 2.55 B server dies
        | 3.05 B dbworker starts
        | 3.05 B its rebuild ends
        | 3.05 B server starts in place
        | 3.06 - request: done: made anew
        | 3.06 - B is no longer rebuilt
        expect no-aside B
        expect follows B within 5s
        | 3.20 B receives from A
        expect gap 300ms
