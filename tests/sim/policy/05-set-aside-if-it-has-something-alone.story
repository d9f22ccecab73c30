# Scenario 5: the old primary has committed something alone (a restart in place made it visible there): it is set
# aside, never merged.
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
        cut A | B X
        | 1.441 - nobody serves
        expect serves B within 2s
        | 2.270 A server dies, open
        | 2.271 A has the address no more
        | 2.271 A leads no more
        | 2.941 B receives no more
        | 2.943 B leads term 2
        | 2.946 - primary B, epoch 2 (failover)
        | 2.946 - sync {B}, acks 0
        | 2.948 B has the record of epoch 2 written
        | 2.951 - the record of epoch 2 is committed
        | 2.952 B opens
        | 2.958 B has the address
        | 2.958 - B serves
        errant A
        heal
+5s     expect no-follows A
        | 3.360 A server starts to follow
        expect waits A it holds transactions that the primary B lacks
        expect serves B
        expect sync B
