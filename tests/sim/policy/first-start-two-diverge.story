# Both servers have something alone: nobody is chosen but by an operator, who says that the other one's may go. That is saved,
# and its server is made anew, though rejoin is manual.
cluster A B X mysql
        on A B X
        | 0.00 A is on
        | 0.00 B is on
        | 0.00 X is on
        had-data A 5
        had-data B 7
+5s     expect serves none
        | 1.00 A leads term 1
        | 1.40 A server starts in place
        | 1.41 B server starts in place
        expect waits A first start refused: A alone has
        init A refused
        init B discard-others
        expect serves B within 5s
        | 5.00 A leads no more
        | 5.00 B leads term 2
        | 5.01 - primary B, epoch 2 (first start)
        | 5.01 - sync {B}, acks 0
        | 5.01 B has the record of epoch 2 written
        | 5.01 - the record of epoch 2 is committed
        | 5.01 B opens
        | 5.02 B has the address
        | 5.02 - B serves
        expect aside A within 3s
        | 6.02 - A is to be rebuilt
        expect sync B A within 10s
        | 6.02 A is rebuilt from B
        | 6.02 A dbworker ends
        | 6.05 A server dies
        | 6.55 A dbworker starts
        | 6.55 A its rebuild ends
        | 6.55 A server starts in place
        | 6.56 - A is no longer rebuilt
        | 6.76 A receives from B and acknowledges
        | 6.76 B its commits wait for 1 acknowledgement
        | 6.76 - request: done
        | 6.77 - sync {B A}, acks 1
        expect outcome done within 2s
