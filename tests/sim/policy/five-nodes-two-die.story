# Five data nodes, MySQL: a commit waits for two of four. The primary and a replica die in the same moment: what two of
# the others may hold is heard from enough of them.
cluster A B C D E mysql
        on A B C D E
        | 0.00 A is on
        | 0.00 B is on
        | 0.00 C is on
        | 0.00 D is on
        | 0.00 E is on
        expect sync A B C D E within 15s
        | 1.00 A leads term 1
        | 1.40 A server starts in place
        | 1.41 B server starts in place
        | 1.41 C server starts in place
        | 1.41 D server starts in place
        | 1.41 E server starts in place
        | 1.43 - primary A, epoch 1 (first start)
        | 1.43 - sync {A}, acks 0
        | 1.43 A has the record of epoch 1 written
        | 1.43 B receives from A and acknowledges
        | 1.43 C receives from A and acknowledges
        | 1.43 D receives from A and acknowledges
        | 1.43 E receives from A and acknowledges
        | 1.43 - the record of epoch 1 is committed
        | 1.43 A opens
        | 1.44 C receives no more
        | 1.44 D receives no more
        | 1.44 E receives no more
        | 1.44 C receives from A
        | 1.44 A has the address
        | 1.44 - A serves
        | 1.44 A its commits wait for 1 acknowledgement
        | 1.44 D receives from A
        | 1.44 E receives from A
        | 1.45 - sync {A B}, acks 1
        | 1.45 - sync {A B C}, acks 1
        | 1.45 C receives no more
        | 1.45 - sync {A B C D}, acks 1
        | 1.45 C receives from A and acknowledges
        | 1.46 A its commits wait for 2 acknowledgements
        | 1.46 D receives no more
        | 1.46 D receives from A and acknowledges
        | 1.46 - sync {A B C D}, acks 2
        | 1.47 - sync {A B C D E}, acks 2
        expect acks 2 within 12s
+1s     mark
        | 1.47 E receives no more
        | 1.47 E receives from A and acknowledges
        off A B
        | 2.47 A is off
        | 2.47 B is off
        | 2.47 - nobody serves
        expect serves any within 2s
        | 3.45 C receives no more
        | 3.46 D receives no more
        | 3.46 E receives no more
        | 3.46 C leads term 2
        | 3.46 - primary C, epoch 2 (failover)
        | 3.46 - sync {C D E}, acks 2
        | 3.46 C has the record of epoch 2 written
        | 3.46 C its commits wait for 2 acknowledgements
        | 3.46 D receives from C and acknowledges
        | 3.46 E receives from C and acknowledges
        | 3.46 - the record of epoch 2 is committed
        | 3.47 C opens
        | 3.48 C has the address
        | 3.48 - C serves
        expect sync C D E within 10s
        on A B
        | 3.48 A is on
        | 3.48 B is on
        expect sync A B C D E within 20s
        | 3.88 B server starts to follow
        | 3.88 A server starts to follow
        | 3.90 B receives from C
        | 3.91 A receives from C
        | 3.91 - sync {C D E B}, acks 2
        | 3.91 B receives no more
        | 3.91 - sync {C D E B A}, acks 2
        expect acks 2 within 12s
        expect changes 1
