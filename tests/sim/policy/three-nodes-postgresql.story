# Three data nodes, PostgreSQL: the rule names who may acknowledge. The primary's server is killed; what was acknowledged is
# on the node that is chosen.
cluster A B C postgresql
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
        | 1.43 A its commits wait for 1 acknowledgement
        | 1.44 A has the address
        | 1.44 - A serves
        | 1.44 - sync {A B}, acks 1
        | 1.44 - sync {A B C}, acks 1
        expect acks 1
+1s     mark
        kill server A
        | 2.44 A server dies, open
        | 2.44 B receives no more
        | 2.44 C receives no more
        | 2.44 - nobody serves
        expect serves any within 1s
        | 2.44 A has the address no more
        | 2.44 A leads no more
        | 2.45 C leads term 2
        | 2.45 - primary C, epoch 2 (failover)
        | 2.45 - sync {C B}, acks 1
        | 2.45 C has the record of epoch 2 written
        | 2.45 C its commits wait for 1 acknowledgement
        | 2.45 B receives from C and acknowledges
        | 2.46 - the record of epoch 2 is committed
        | 2.46 C opens
        | 2.46 C has the address
        | 2.46 - C serves
        expect change failover
        expect gap 300ms
        expect sync A B C within 12s
        | 2.85 A server starts to follow
        | 2.87 A its commits wait for 0 acknowledgements
        | 2.87 A receives from C and acknowledges
        | 2.87 - sync {C B A}, acks 1
        expect changes 1
