# In a pause a lease is long. One that the agent of an earlier epoch sent is read only when a later epoch has come and gone: vipd
# does not take it, though its deadline is far.
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
        pause 60s
+1s     told-to-stop A                # and started again
        | 1.44 - pause, held by A
+5s     expect serves A
        | 2.44 A agent ends
        | 2.44 A dbworker ends
        | 2.54 A agent starts
        | 2.54 A dbworker starts
        | 3.40 B receives no more
        | 3.40 - nobody serves
        | 3.41 B leads term 2
        | 3.41 B leads no more
        | 4.41 A leads term 3
        | 4.42 - primary A, epoch 3 (restart)
        | 4.42 B receives from A and acknowledges
        | 4.42 A closes
        | 4.42 A its commits wait for 0 acknowledgements
        | 4.42 A has the record of epoch 3 written
        | 4.42 A its commits wait for 1 acknowledgement
        | 4.42 - the record of epoch 3 is committed
        | 4.43 A opens
        | 4.43 - A serves
        resume
+500ms  kill server A
        | 7.44 - pause is over
        | 7.94 A server dies, open
        | 7.94 - nobody serves
        expect serves B within 1s
        | 7.94 B receives no more
        | 7.94 A has the address no more
        | 7.94 A leads no more
        | 7.94 B leads term 4
        | 7.95 - primary B, epoch 4 (failover)
        | 7.95 - sync {B}, acks 0
        | 7.95 B has the record of epoch 4 written
        | 7.95 - the record of epoch 4 is committed
        | 7.95 B opens
        | 7.96 B has the address
        | 7.96 - B serves
        late-lease A
+200ms  expect no-address A
        expect address B
