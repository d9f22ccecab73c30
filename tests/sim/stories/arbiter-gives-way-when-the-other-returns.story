# The arbiter is about to campaign for B when A, who has everything, returns: A may lead, whoever does.
cluster A B X
        start A B X
3s      expect leader A
        crash B
        propose A x
+10ms   crash A
        start B
+980ms  start A
        expect leader any within 2.5s
        expect applied x A B X within 1.2s
        expect leader any for 5s
