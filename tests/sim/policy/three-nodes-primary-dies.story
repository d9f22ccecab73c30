# Three data nodes, MySQL: a commit waits for one of two. The primary dies: each possible acknowledger is heard, the one that is
# ahead takes over, and the third goes on as a member.
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
        expect acks 1
        replication to C 200ms        # B acknowledges first
+1s     mark
        | 1.45 C receives no more
        | 1.45 C receives from A and acknowledges
        off A
        | 2.45 A is off
        | 2.45 - nobody serves
        expect serves B within 2s
        | 3.40 B receives no more
        | 3.41 C receives no more
        | 3.41 B leads term 2
        | 3.43 - primary B, epoch 2 (failover)
        | 3.43 - sync {B}, acks 0
        | 3.43 B has the record of epoch 2 written
        | 3.44 C receives from B and acknowledges
        | 3.44 - the record of epoch 2 is committed
        | 3.44 B opens
        | 3.44 B has the address
        | 3.44 - B serves
        expect sync B C within 5s
        | 3.64 B its commits wait for 1 acknowledgement
        | 4.16 - sync {B C}, acks 1
        expect follows C within 2s
        expect acks 1
        on A
        | 4.16 A is on
        expect sync A B C within 12s
        | 4.61 A server starts to follow
        | 4.63 A receives from B
        | 4.64 - sync {B C A}, acks 1
        expect changes 1
