# Nobody sees the primary's server die: it is restarted by hand while its dbworker is away. What it holds and nobody
# acknowledged must not be read there before the replica has it.
cluster A B X
        on A B X
        expect sync A B within 9s
        replication to B 300ms
+1s     kill worker A
        restart A
        expect serves any within 3s
        expect serves B
        expect waits A set aside      # its tail was kept, by that hand
