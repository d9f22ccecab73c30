-- The accounts of mha4rdb on MySQL: run this on every database host as root, before the cluster's first start, with your own passwords.
-- A server that boots closed is opened for it and closed again; nothing is logged, so that no server has a transaction that
-- another one lacks.
SET GLOBAL super_read_only = OFF;
SET SESSION sql_log_bin = 0;

-- The agent's own, on this host only: the password stands in /etc/mha4rdb/db.password.
CREATE USER 'mha4rdb'@'localhost' IDENTIFIED BY 'password one';
GRANT RELOAD, PROCESS, SHOW DATABASES, REPLICATION CLIENT, CREATE USER ON *.* TO 'mha4rdb'@'localhost';
GRANT REPLICATION_SLAVE_ADMIN, SYSTEM_VARIABLES_ADMIN, CONNECTION_ADMIN, SYSTEM_USER, CLONE_ADMIN ON *.* TO 'mha4rdb'@'localhost';
GRANT SELECT ON mysql.* TO 'mha4rdb'@'localhost';
GRANT SELECT ON performance_schema.* TO 'mha4rdb'@'localhost';
GRANT ALL PRIVILEGES ON mha4rdb.* TO 'mha4rdb'@'localhost';

-- The replicas', from the other hosts: one for each node, named after it (replication_user = "mha4rdb_%n"), and one for those who
-- stand by, whose acknowledgements never count. All have one password: it stands in /etc/mha4rdb/replication.password.
-- BACKUP_ADMIN is for CLONE, by which a replica is made anew.
CREATE USER 'mha4rdb_db1'@'192.0.2.%' IDENTIFIED BY 'password two';
GRANT REPLICATION SLAVE, BACKUP_ADMIN ON *.* TO 'mha4rdb_db1'@'192.0.2.%';
CREATE USER 'mha4rdb_db2'@'192.0.2.%' IDENTIFIED BY 'password two';
GRANT REPLICATION SLAVE, BACKUP_ADMIN ON *.* TO 'mha4rdb_db2'@'192.0.2.%';
CREATE USER 'mha4rdb_standby'@'192.0.2.%' IDENTIFIED BY 'password two';
GRANT REPLICATION SLAVE, BACKUP_ADMIN ON *.* TO 'mha4rdb_standby'@'192.0.2.%';

SET GLOBAL super_read_only = ON;
