# Five data nodes, MySQL: the members beside B are far behind. A commit waits for a second acknowledgement only once two
# replicas are near the end of the log: until then nobody notices them.
cluster A B C D E mysql
        on A B C D E
        | 0.00 A is on
        | 0.00 B is on
        | 0.00 C is on
        | 0.00 D is on
        | 0.00 E is on
        expect sync A B within 12s
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
        fails A rule
        expect sync A B C within 12s
        | 1.45 - sync {A B C}, acks 1
        replication to C 1200ms
        replication to D 1200ms
        replication to E 1200ms
+3s     works A
        | 1.45 C receives no more
        | 1.45 - sync {A B C D}, acks 1
        | 1.45 C receives from A and acknowledges
        | 1.46 D receives no more
        | 1.46 D receives from A and acknowledges
        mark
+12s    expect gap 500ms
        expect acks 1
