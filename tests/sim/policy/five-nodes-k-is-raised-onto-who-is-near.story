# Five data nodes, MySQL: three of the four replicas are far behind. A commit waits for a second acknowledgement only once two
# replicas are near the end of the log: until then nobody notices them.
cluster A B C D E mysql
        on A B C D E
        | 0.00 A is on
        | 0.00 B is on
        | 0.00 C is on
        | 0.00 D is on
        | 0.00 E is on
        expect sync A B C D E within 12s
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
        replication to C 4s
        replication to D 4s
        replication to E 4s
+1s     mark
        | 1.50 E receives no more
        | 1.54 C receives from A and acknowledges
        | 1.55 D receives from A and acknowledges
        | 1.55 E receives from A and acknowledges
+12s    expect gap 500ms
        expect acks 1
