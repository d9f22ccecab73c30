# Section 4: the holder of a pause loses power: nobody is promoted before the pause is over, counted by the new leader.
cluster A B X
        on A B X
        expect sync A B within 9s
        pause 5s
+1s     off A
        expect serves none for 5s
        expect serves B within 3s
