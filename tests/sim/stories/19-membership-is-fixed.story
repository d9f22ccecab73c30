# No change of members, least of all before the no-op of the term (copycat 23): membership is fixed at the founding.
cluster A B C
        start A B C
        expect role A leader within 2s
        propose-membership A refused invalid
4s      propose-membership A refused invalid
        propose-membership B refused invalid
