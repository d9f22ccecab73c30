# Section 5, raising k: what was acknowledged before the rule was in force is on its way to the replica for 300 ms more:
# it is counted on only once it has the end of the log of that moment.
cluster A B X
        on A B X
        expect sync A B within 9s
        off B
        expect sync A within 3s
        replication to B 300ms
        on B
        expect sync A B within 10s
        mark
        off A
        expect serves B within 3s
