# Scenario 14, the other choice.
cluster A B X
        on A B X
        | 0.000 A is on
        | 0.000 B is on
        | 0.000 X is on
        expect sync A B within 9s
        | 1.003 A leads term 1
        | 1.405 A server starts in place
        | 1.405 B server starts in place
        | 1.426 - primary A, epoch 1 (first start)
        | 1.426 - sync {A}, acks 0
        | 1.428 A has the record of epoch 1 written
        | 1.429 B receives from A and acknowledges
        | 1.431 - the record of epoch 1 is committed
        | 1.432 A opens
        | 1.433 A its commits wait for 1 acknowledgement
        | 1.438 A has the address
        | 1.438 - A serves
        | 1.441 - sync {A B}, acks 1
        off B
        | 1.441 B is off
        | 1.441 - nobody serves
        expect sync A within 3s
        | 2.605 - sync {A}, acks 0
+1s     off A
        | 2.606 A its commits wait for 0 acknowledgements
        | 2.606 - A serves
        | 3.605 A is off
        | 3.605 - nobody serves
+1s     on B
        | 4.605 B is on
+5s     failover to B refused         # A may live: its fence is not confirmed
        | 5.759 X leads term 2
        | 5.761 X leads no more
        | 5.764 B leads term 3
        | 6.166 B server starts to follow
        | 6.166 B acknowledges no more
+3s     expect serves none
        failover to B old-primary-is-off
        expect serves B within 3s
        | 12.607 - failover to B is asked for
        | 12.610 - request: done
        | 12.610 - primary B, epoch 3 (forced)
        | 12.610 - sync {B}, acks 0
        | 12.611 B has the record of epoch 3 written
        | 12.615 - the record of epoch 3 is committed
        | 12.615 B opens
        | 12.622 B has the address
        | 12.622 - B serves
        expect change forced
        expect outcome done
        on A
        | 12.622 A is on
+5s     expect no-follows A           # it has more: set aside
        | 13.030 A server starts to follow
        expect serves B
