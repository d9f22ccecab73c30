# Section 5: A hears B no more, a moment later nobody, but is heard. Its wish to drop B from the sync set must not be
# left in the others' logs: B would then be barred by a node that is cut off itself.
cluster A B X
        on A B X
        expect sync A B within 9s
        cut B > A
+900ms  cut X > A
        expect serves B within 5s
        expect serves B for 3s
