# Nobody confirms the release: then the published deadline has to pass.
cluster A B X
        start A B X
3s      expect leader A
        end-lease A
+750ms  transfer A to B refused busy
+160ms  expect no-lease A
        transfer A to B
        expect leader B within 15ms
