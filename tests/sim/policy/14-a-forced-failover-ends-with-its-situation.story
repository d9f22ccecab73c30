# Scenario 14: an operator forces a failover to B, whose server dies in the same moment. Then A, the old primary, serves again, and
# the force ends: it does not promote B when A is lost another time.
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
        start B fails
        kill server B
        | 1.44 B server dies
        | 1.44 - nobody serves
        expect sync A within 5s
        | 1.51 - sync {A}, acks 0
        off A
        | 1.51 A is off
        start B works
        expect up B within 5s
        | 2.84 B server starts to follow
        expect leader B within 3s
        | 3.01 B leads term 2
        start B fails
        failover to B old-primary-is-off
        kill server B
        | 3.01 B server dies
        on A
        | 3.01 A is on
        expect serves A within 9s
        | 3.01 - failover to B is asked for
        | 3.42 A server starts in place
        | 5.05 - request: failed: its target cannot be used
        | 5.05 B leads no more
        | 5.06 A leads term 3
        | 5.06 - primary A, epoch 3 (restart)
        | 5.06 - sync {A}, acks 0
        | 5.06 A has the record of epoch 3 written
        | 5.06 - the record of epoch 3 is committed
        | 5.06 A opens
        | 5.07 A has the address
        | 5.07 - A serves
+1s     off A
        | 6.07 A is off
        | 6.07 - nobody serves
        start B works
        expect up B within 5s
        | 7.11 B server starts to follow
        expect serves none for 5s
        | 7.56 B leads term 4
