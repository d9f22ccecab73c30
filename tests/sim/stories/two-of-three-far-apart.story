# Two of three are left, and a message takes longer than what sets their campaigns apart: each asks before it hears that
# the other has asked, and neither gets the other's vote. Each tie must set them further apart. (Found by random faults,
# seeds 367 and 1732 of then.)
cluster A B C net=150ms
        start A B
        | 0.000 A starts
        | 0.000 B starts
        expect leader any within 3s
        | 1.000 A asks who would vote for it in term 1
        | 1.050 B asks who would vote for it in term 1
        | 1.300 A asks for votes in term 1
        | 1.301 A votes for itself in term 1
        | 1.350 B asks for votes in term 1
        | 1.351 B votes for itself in term 1
        | 1.701 A campaigns no more; term 1
        | 1.701 A asks who would vote for it in term 2
        | 1.801 B campaigns no more; term 1
        | 1.901 B asks who would vote for it in term 2
        | 2.001 A asks for votes in term 2
        | 2.002 A votes for itself in term 2
        | 2.152 B campaigns no more; term 2
        | 2.153 B votes for A in term 2
        | 2.303 A leads term 2
        | 2.604 A its lease begins
        | 2.604 A has committed the no-op of term 2
