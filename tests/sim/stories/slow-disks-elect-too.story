# Every write takes three heartbeats: elections take long, but end.
cluster A B C D E disk=300ms
        start A B C D E
        expect leader A within 4s
        crash A
        expect leader any within 4s
        expect leader any for 10s
