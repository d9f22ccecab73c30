# Servers for the tests that the distribution's own release does not have: MySQL, and a newer MariaDB.
# MHA_MYSQL=DIR and MHA_MARIADB_NEW=DIR name folders that are there already, laid out as tests/servers/fetch.sh says.

MHA_MYSQL ?= $(CURDIR)/build/servers/mysql
MHA_MARIADB_NEW ?= $(CURDIR)/build/servers/mariadb
export MHA_MYSQL MHA_MARIADB_NEW

.PHONY: servers mariadb-new

servers: $(MHA_MYSQL)/server.cnf ## fetch MySQL for the tests into build/servers (as root)
	@:
mariadb-new: $(MHA_MARIADB_NEW)/server.cnf ## fetch a newer MariaDB for the tests into build/servers (as root)
	@:

$(CURDIR)/build/servers/%/server.cnf: tests/servers/fetch.sh
	@echo "  FETCH build/servers/$*"
	$(Q)sh $< $* $(@D)
