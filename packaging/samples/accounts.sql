-- The two accounts of mha4rdb: run this on every database host as root, before the cluster's first start, with your own passwords.
-- Without logging, so that no server has a transaction that another one lacks.
SET SESSION sql_log_bin = 0;

-- The agent's own, on this host only: the password stands in /etc/mha4rdb/db.password.
CREATE USER 'mha4rdb'@'localhost' IDENTIFIED BY 'password one';
GRANT RELOAD, PROCESS, SHOW DATABASES, BINLOG MONITOR, BINLOG ADMIN, CONNECTION ADMIN, READ_ONLY ADMIN,
      REPLICATION MASTER ADMIN, REPLICATION SLAVE ADMIN, SLAVE MONITOR
      ON *.* TO 'mha4rdb'@'localhost';
GRANT SELECT ON mysql.* TO 'mha4rdb'@'localhost';
GRANT ALL PRIVILEGES ON mha4rdb.* TO 'mha4rdb'@'localhost';

-- The replicas', from the other hosts: the password stands in /etc/mha4rdb/replication.password.
CREATE USER 'mha4rdb_repl'@'192.0.2.%' IDENTIFIED BY 'password two';
GRANT REPLICATION SLAVE ON *.* TO 'mha4rdb_repl'@'192.0.2.%';
