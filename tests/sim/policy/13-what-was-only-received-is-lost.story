# A MariaDB replica that restarts loses what it has only received, though it acknowledged it: as the member that it was it must
# not be promoted, whoever else is gone.
cluster A B X mariadb
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
+1s     applier B held 20s
+500ms  off A
        | 2.94 A is off
        | 2.94 - nobody serves
        kill server B
        | 2.94 B server dies
        expect up B within 2s
        | 3.34 B server starts in place
        expect serves none for 5s
        | 4.16 B leads term 2
        on A
        | 8.34 A is on
        expect serves A within 5s
        | 8.80 A server starts in place
        | 8.81 B leads no more
        | 9.76 A leads term 3
        | 9.76 - primary A, epoch 3 (restart)
        | 9.76 - sync {A}, acks 0
        | 9.76 A has the record of epoch 3 written
        | 9.77 B receives from A and acknowledges
        | 9.77 - the record of epoch 3 is committed
        | 9.77 A opens
        | 9.77 A its commits wait for 1 acknowledgement
        | 9.78 A has the address
        | 9.78 - A serves
