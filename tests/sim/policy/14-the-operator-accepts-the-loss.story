# Scenario 14, the other choice.
cluster A B X
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
        off B
        | 1.44 B is off
        | 1.44 - nobody serves
        expect sync A within 3s
        | 2.61 - sync {A}, acks 0
+1s     off A
        | 2.61 A its commits wait for 0 acknowledgements
        | 2.61 - A serves
        | 3.61 A is off
        | 3.61 - nobody serves
+1s     on B
        | 4.61 B is on
+5s     failover to B refused         # A may live: its fence is not confirmed
        | 5.76 X leads term 2
        | 5.76 X leads no more
        | 5.76 B leads term 3
        | 6.17 B server starts to follow
+3s     expect serves none
        failover to B old-primary-is-off
        expect serves B within 3s
        | 12.61 - failover to B is asked for
        | 12.61 - request: done
        | 12.61 - primary B, epoch 3 (forced)
        | 12.61 - sync {B}, acks 0
        | 12.61 B has the record of epoch 3 written
        | 12.61 - the record of epoch 3 is committed
        | 12.62 B opens
        | 12.62 B has the address
        | 12.62 - B serves
        expect change forced
        expect outcome done
        on A
        | 12.62 A is on
+5s     expect no-follows A           # it has more: set aside
        | 13.03 A server starts to follow
        expect serves B
