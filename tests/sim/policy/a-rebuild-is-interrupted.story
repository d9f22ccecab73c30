# The agent dies in the middle of a rebuild, when the old data are gone: its server is not started and not followed with; the
# next agent begins the rebuild anew.
cluster A B X rejoin-auto copy=2s
        on A B X
        | 0.00 A is on
        | 0.00 B is on
        | 0.00 X is on
        expect sync A B within 12s
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
        rebuild B
        expect down B within 2s
        | 1.44 - B is to be rebuilt
        | 1.51 - sync {A}, acks 0
        | 1.51 A its commits wait for 0 acknowledgements
        | 1.51 B receives no more
        | 1.51 B receives from A
        | 2.43 B is rebuilt from A
        | 2.43 B dbworker ends
        | 2.46 B server dies
        kill agent B
        | 2.46 B agent ends
        | 2.46 B its rebuild ends, unfinished
+500ms  expect no-follows B
        | 2.56 B agent starts
        | 2.60 B is rebuilt from A
        expect no-aside B within 10s
        | 4.63 B dbworker starts
        | 4.63 B its rebuild ends
        | 4.63 B server starts in place
        | 4.65 - request: done: made anew
        | 4.65 - B is no longer rebuilt
        expect sync A B within 10s
        | 4.68 B receives from A and acknowledges
        | 4.68 A its commits wait for 1 acknowledgement
        | 4.69 - sync {A B}, acks 1
