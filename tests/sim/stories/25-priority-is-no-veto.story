# A campaign delay lets others go first; alone, the node goes in the end (NuRaft leader priority notes).
cluster A B C
        start A B C
3s      expect leader A
        campaign-delay B 800ms
        crash A
        expect leader C within 1.2s   # the one without a delay
        start A
        campaign-delay A 60s          # bounded to 4 E
        campaign-delay B 60s
+2s     expect leader C
        crash C
        expect waits A campaign delay within 1.5s
        expect leader any within 5.3s
