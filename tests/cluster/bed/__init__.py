"""The test bed: hosts as network namespaces, real servers on them, a writer and watchers that look from outside.

    host.py      Run, Switch, Host: namespaces, cables, power
    server.py    a database server on a host: data directories, accounts, life; what every kind answers
    mariadb.py   MariaDB's statements, files and evidence
    mysql.py     MySQL's
    settings.py  the programs' configuration files
    spawner.py   what systemd's socket units do for a rebuild of MariaDB
    faults.py    disks, paths and clocks that fail
    cluster.py   a whole cluster: configuration files, daemons, waiting
    wire.py      just enough of the MySQL protocol for a client that never blocks
    login.py     how such a client proves its password
    writer.py    the client program: inserts through the VIP, notes what was acknowledged
    watch.py     the watcher program: who answers for the VIP, who has it, who takes writes
    evidence.py  what their notes say: gaps, two addresses, two writers
    binlog.py    reads binary logs from the disk
    rows.py      compares rows by key

Nothing here touches the machine's own network, servers or services: all of it lives in namespaces whose first
process dies with the Python process that made it, and in one directory under the temporary directory.
"""
