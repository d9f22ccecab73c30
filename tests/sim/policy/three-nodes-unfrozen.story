# Three data nodes, MySQL: agent and dbworker of the primary are stopped, and its server goes on. A replica that cannot stop its
# receiver may acknowledge more at any moment: its position does not count, and nobody is promoted without it.
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
+1s     fails C freeze
        | 1.45 C receives no more
        | 1.45 C receives from A and acknowledges
        fails C follow
        replication to C 100ms
        stop agent A 8s
        stop worker A 8s
        expect leader B within 2s
        | 3.30 A has the address no more
        | 3.30 - nobody serves
        | 3.40 B receives no more
        | 3.41 B leads term 2
+3s     works C
        expect serves C within 2s             # which had acknowledged more
        | 6.61 C receives no more
        | 6.61 B leads no more
        | 6.61 C leads term 3
        | 6.62 - primary C, epoch 3 (failover)
        | 6.62 - sync {C}, acks 0
        | 6.62 C has the record of epoch 3 written
        | 6.62 B receives from C and acknowledges
        | 6.62 - the record of epoch 3 is committed
        | 6.62 C opens
        | 6.63 C its commits wait for 1 acknowledgement
        | 6.63 C has the address
        | 6.63 - C serves
