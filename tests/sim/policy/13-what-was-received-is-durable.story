# A MySQL replica syncs what it receives before it acknowledges: as a member of the sync set it may be promoted after a restart,
# though it is another start of its server.
cluster A B X mysql
        on A B X
        | 0.00 A is on
        | 0.00 B is on
        | 0.00 X is on
        expect sync A B within 9s
        | 1.00 A leads term 1
        | 1.40 A server starts in place
        | 1.41 B server starts in place
        | 1.43 - primary A, epoch 1 (first start)
        | 1.43 - sync {A}, acks 0
        | 1.43 A has the record of epoch 1 written
        | 1.43 B receives from A and acknowledges
        | 1.43 - the record of epoch 1 is committed
        | 1.43 A opens
        | 1.43 A its commits wait for 1 acknowledgement
        | 1.44 A has the address
        | 1.44 - A serves
        | 1.44 - sync {A B}, acks 1
+1s     kill server B
        | 2.44 B server dies
        | 2.44 - nobody serves
+10ms   off A
        | 2.45 A is off
        expect serves B within 5s
        | 2.84 B server starts in place
        | 3.41 B leads term 2
        | 3.41 - primary B, epoch 2 (failover)
        | 3.41 - sync {B}, acks 0
        | 3.41 B has the record of epoch 2 written
        | 3.41 - the record of epoch 2 is committed
        | 3.42 B opens
        | 3.42 B has the address
        | 3.42 - B serves
