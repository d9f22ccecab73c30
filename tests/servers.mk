# Servers for the tests that the distribution's own release does not have: MySQL, and a newer MariaDB.
# MHA_MYSQL=DIR and MHA_MARIADB_NEW=DIR name folders that are there already, laid out as tests/servers/fetch.sh says.

MHA_MYSQL ?= $(CURDIR)/build/servers/mysql
MHA_MARIADB_NEW ?= $(CURDIR)/build/servers/mariadb
export MHA_MYSQL MHA_MARIADB_NEW

.PHONY: servers mariadb-new client-libraries

servers: $(MHA_MYSQL)/server.cnf ## fetch MySQL for the tests into build/servers (as root)
	@:
mariadb-new: $(MHA_MARIADB_NEW)/server.cnf ## fetch a newer MariaDB for the tests into build/servers (as root)
	@:

$(CURDIR)/build/servers/%/server.cnf: tests/servers/fetch.sh
	@echo "  FETCH build/servers/$*"
	$(Q)sh $< $* $(@D)

# The dbworker with MySQL's own client library, which comes with that server: it brings its own loader and C library.
# Both servers are spoken to; what authenticates against MariaDB is a plugin there.
MYSQL_USR := $(MHA_MYSQL)/usr
MYSQL_LIBDIR = $(patsubst %/libmysqlclient.so,%,$(firstword $(wildcard $(MYSQL_USR)/lib/*/libmysqlclient.so)))
MYSQLCLIENT_BUILD := build/mysqlclient
CLIENT_LIBRARY_TESTS := test_rule or test_primary or test_check or (test_fence and (asked_for or waiting)) or \
	(test_mysql and (hold_a_fence or any_number or stranded or own_writes or tls or server))

client-libraries: servers ## build the dbworker with MySQL's client library too, and try it on both servers
	@$(MAKE) --no-print-directory VARIANT=release BUILD=$(MYSQLCLIENT_BUILD) \
		MYSQL_CFLAGS="-isystem $(MYSQL_USR)/include/mysql -isystem $(MYSQL_USR)/include" \
		MYSQL_LIBS="-L$(MYSQL_LIBDIR) -lmysqlclient -Wl,--allow-shlib-undefined -Wl,--disable-new-dtags,-rpath,$(MYSQL_LIBDIR) \
			-Wl,--dynamic-linker=$(firstword $(wildcard $(MYSQL_USR)/lib64/ld-linux*.so*))" \
		$(MYSQLCLIENT_BUILD)/mha4rdb-dbworker
	$(Q)$(AS_ROOT) env MHA_BUILD=$(MYSQLCLIENT_BUILD) LIBMYSQL_PLUGIN_DIR=$(MYSQL_USR)/lib/mysql/plugin \
		$(PYTEST) -q -n $(JOBS) --timeout 180 tests/db -k "$(CLIENT_LIBRARY_TESTS)"
