# Three data nodes, MySQL: primary and the replica that acknowledged are down. The third one knows only its own position: some of
# what was acknowledged may be with the other replica alone, and is.
cluster A B C mysql
        on A B C
        | 0.00 A is on
        | 0.00 B is on
        | 0.00 C is on
        expect sync A B C within 12s
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
        | 1.45 - sync {A B C}, acks 1
        replication to B 800ms
+2s     start C fails
        | 1.45 C receives no more
        | 1.45 C receives from A and acknowledges
        kill server C
        | 3.45 C server dies
        off A
        | 3.45 A is off
        | 3.45 - nobody serves
        expect leader B within 4s
        | 4.40 B receives no more
        | 4.41 B leads term 2
        expect waits B positions within 2s
        start C works
        expect serves C within 8s
        | 5.25 C server starts in place
        | 5.27 B leads no more
        | 5.27 C leads term 3
        | 5.27 - primary C, epoch 3 (failover)
        | 5.27 - sync {C}, acks 0
        | 5.28 C has the record of epoch 3 written
        | 5.28 B receives from C and acknowledges
        | 5.28 - the record of epoch 3 is committed
        | 5.28 C opens
        | 5.29 C has the address
        | 5.29 - C serves
