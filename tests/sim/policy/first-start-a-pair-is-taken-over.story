# A replication pair that serves: the leadership goes to the writable one, which stays open all the while; its replica is taken
# over without losing what it received.
cluster A B X mariadb
        on A B X
        | 0.00 A is on
        | 0.00 B is on
        | 0.00 X is on
        had-data B 20
        runs-already B writable
        | 0.00 B server starts in place
        | 0.00 B opens
        runs-already A from B
        | 0.00 A server starts in place
        mark
        expect open B for 1s
        | 0.00 A receives from B
        expect primary B within 5s
        | 1.00 A leads term 1
        | 1.01 A leads no more
        | 1.01 B leads term 2
        | 1.01 - primary B, epoch 2 (first start)
        | 1.01 - sync {B}, acks 0
        expect open B for 2s
        | 1.01 A receives no more
        | 1.01 B has the record of epoch 2 written
        | 1.02 - the record of epoch 2 is committed
        | 1.02 A receives from B and acknowledges
        | 1.02 B its commits wait for 1 acknowledgement
        | 1.02 B has the address
        | 1.02 - B serves
        | 1.02 - sync {B A}, acks 1
        expect answers B
        expect serves B
        expect sync A B within 5s
