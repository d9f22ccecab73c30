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
        | 1.44 A has the address
        | 1.44 - A serves
        | 1.44 A its commits wait for 1 acknowledgement
        | 1.45 - sync {A B}, acks 1
        | 1.49 C receives from A and acknowledges
        | 1.49 D receives from A and acknowledges
        | 1.49 - sync {A B C}, acks 1
        | 1.49 C receives no more
        | 1.49 E receives from A and acknowledges
        | 1.49 A its commits wait for 2 acknowledgements
        | 1.49 - nobody serves
        | 1.49 A its commits wait for 1 acknowledgement
        | 1.49 - A serves
        | 1.49 - sync {A B C D}, acks 1
        | 1.50 D receives no more
        | 1.50 - sync {A B C D E}, acks 1
        expect acks 2 within 12s
        | 1.50 E receives no more
        | 1.54 C receives from A and acknowledges
        | 1.55 D receives from A and acknowledges
        | 1.55 E receives from A and acknowledges
        | 6.50 A its commits wait for 2 acknowledgements
        | 6.68 - sync {A B C D E}, acks 2
+1s     mark
        off A B
        | 7.68 A is off
        | 7.68 B is off
        | 7.68 - nobody serves
        expect serves any within 2s
        | 8.65 C receives no more
        | 8.66 D receives no more
        | 8.66 E receives no more
        | 8.66 C leads term 2
        | 8.68 - primary C, epoch 2 (failover)
        | 8.68 - sync {C D E}, acks 2
        | 8.68 C has the record of epoch 2 written
        | 8.69 C its commits wait for 2 acknowledgements
        | 8.69 D receives from C and acknowledges
        | 8.69 E receives from C and acknowledges
        | 8.69 - the record of epoch 2 is committed
        | 8.69 C opens
        | 8.70 C has the address
        | 8.70 - C serves
        expect sync C D E within 10s
        on A B
        | 8.70 A is on
        | 8.70 B is on
        expect sync A B C D E within 20s
        | 9.10 A server starts to follow
        | 9.10 B server starts to follow
        | 9.13 A receives from C and acknowledges
        | 9.13 B receives from C and acknowledges
        | 9.13 - sync {C D E A}, acks 2
        | 9.13 A receives no more
        | 9.13 - sync {C D E A B}, acks 2
        expect acks 2 within 12s
        expect changes 1
