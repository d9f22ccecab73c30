"""The test bed: hosts as network namespaces, real servers on them, a writer and watchers that look from outside.

    host.py      Run, Switch, Host: namespaces, cables, power
    mariadb.py   data directories, configuration, accounts, one server on a host
    cluster.py   a whole cluster: configuration files, daemons, waiting
    wire.py      just enough of the MySQL protocol for a client that never blocks
    writer.py    the client program: inserts through the VIP, notes what was acknowledged
    watch.py     the watcher program: who answers for the VIP, who has it, who takes writes
    evidence.py  what their notes say: gaps, two addresses, two writers
    binlog.py    reads binary logs from the disk
    rows.py      compares rows by key

Nothing here touches the machine's own network, servers or services: all of it lives in namespaces whose first
process dies with the Python process that made it, and in one directory under the temporary directory.
"""
