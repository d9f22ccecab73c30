# A planned switchover. The record of B's epoch is committed, and B is lost before A, a member, has received it, and so before
# anybody could write under that epoch. A holds all that was acknowledged: it is promoted without the record.
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
+1s     replication to A 9s
        switchover to B
        expect primary B within 3s
        | 2.44 - switchover to B is asked for
        | 2.44 A closes
        | 2.44 - nobody serves
        | 2.45 A has the address no more
        | 2.45 A leads no more
        | 2.45 B receives no more
        | 2.45 B leads term 2
        | 2.45 - primary B, epoch 2 (switchover)
+300ms  expect closed B
        | 2.45 A its commits wait for 0 acknowledgements
        | 2.45 B has the record of epoch 2 written
        | 2.45 B its commits wait for 1 acknowledgement
        | 2.45 A receives from B and acknowledges
        | 2.46 - request: done
        | 2.46 - the record of epoch 2 is committed
        expect sync A B
        expect acks 1
        off B
        | 2.75 B is off
        expect serves A within 5s
        | 3.75 A receives no more
        | 3.75 A leads term 3
        | 3.75 - primary A, epoch 3 (failover)
        | 3.75 - sync {A}, acks 0
        | 3.76 A has the record of epoch 3 written
        | 3.76 - the record of epoch 3 is committed
        | 3.76 A opens
        | 3.77 A has the address
        | 3.77 - A serves
