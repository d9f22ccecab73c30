# What is installed where, and the packages made of it.

PREFIX ?= /usr
SBINDIR ?= $(PREFIX)/sbin
BINDIR ?= $(PREFIX)/bin
LIBEXECDIR ?= $(PREFIX)/libexec/mha4rdb
MANDIR ?= $(PREFIX)/share/man
DOCDIR ?= $(PREFIX)/share/doc
UNITDIR ?= $(PREFIX)/lib/systemd/system
SYSUSERSDIR ?= $(PREFIX)/lib/sysusers.d
TMPFILESDIR ?= $(PREFIX)/lib/tmpfiles.d
POLKITDIR ?= $(PREFIX)/share/polkit-1/rules.d
SYSCONFDIR ?= /etc

put = $(Q)install -D -m $(1) $(2) "$(DESTDIR)$(3)"
put_program = $(Q)install -D -m 755 -s $(BUILD)/$(1) "$(DESTDIR)$(2)/$(1)"
# A man page, compressed without a time stamp: the same input gives the same package.
define put_man
	$(Q)install -d "$(DESTDIR)$(MANDIR)/man$(2)"
	$(Q)gzip -9n <man/$(1).$(2) >"$(DESTDIR)$(MANDIR)/man$(2)/$(1).$(2).gz"
	$(Q)chmod 644 "$(DESTDIR)$(MANDIR)/man$(2)/$(1).$(2).gz"
endef

.PHONY: install-mha4rdb install-arbiter packages-check

install: install-mha4rdb install-arbiter ## install everything below DESTDIR and PREFIX (/usr)

# A database host: the agent, the dbworker, vipd, mhactl.
install-mha4rdb: programs
	$(call put_program,mha4rdb-agent,$(SBINDIR))
	$(call put_program,mha4rdb-dbworker,$(SBINDIR))
	$(call put_program,mha4rdb-rebuild,$(SBINDIR))
	$(call put_program,mha4rdb-vipd,$(SBINDIR))
	$(call put_program,mhactl,$(BINDIR))
	$(call put,755,packaging/systemd/mariadb-follow,$(LIBEXECDIR)/mariadb-follow)
	$(call put,755,packaging/libexec/mariadb-donate,$(LIBEXECDIR)/mariadb-donate)
	$(call put,755,packaging/libexec/mariadb-receive,$(LIBEXECDIR)/mariadb-receive)
	$(call put,644,packaging/systemd/mha4rdb-donate.socket,$(UNITDIR)/mha4rdb-donate.socket)
	$(call put,644,packaging/systemd/mha4rdb-donate@.service,$(UNITDIR)/mha4rdb-donate@.service)
	$(call put,644,packaging/systemd/mha4rdb-receive.socket,$(UNITDIR)/mha4rdb-receive.socket)
	$(call put,644,packaging/systemd/mha4rdb-receive@.service,$(UNITDIR)/mha4rdb-receive@.service)
	$(call put,644,packaging/systemd/mha4rdb-agent.service,$(UNITDIR)/mha4rdb-agent.service)
	$(call put,644,packaging/systemd/mha4rdb-vipd.service,$(UNITDIR)/mha4rdb-vipd.service)
	$(call put,644,packaging/systemd/mha4rdb-mariadb-follow.service,$(UNITDIR)/mha4rdb-mariadb-follow.service)
	$(call put,644,packaging/systemd/mariadb.service.d-50-mha4rdb.conf,$(UNITDIR)/mariadb.service.d/50-mha4rdb.conf)
	$(call put,755,packaging/libexec/mysqld-stop,$(LIBEXECDIR)/mysqld-stop)
	$(call put,644,packaging/systemd/mysql.service.d-50-mha4rdb.conf,$(UNITDIR)/mysql.service.d/50-mha4rdb.conf)
	$(call put,644,packaging/systemd/mysql.service.d-50-mha4rdb.conf,$(UNITDIR)/mysqld.service.d/50-mha4rdb.conf)
	$(call put,644,packaging/systemd/mariadb.socket.d-50-mha4rdb.conf,$(UNITDIR)/mariadb.socket.d/50-mha4rdb.conf)
	$(call put,644,packaging/sysusers/mha4rdb.conf,$(SYSUSERSDIR)/mha4rdb.conf)
	$(call put,644,packaging/tmpfiles/mha4rdb.conf,$(TMPFILESDIR)/mha4rdb.conf)
	$(call put,644,packaging/polkit/50-mha4rdb.rules,$(POLKITDIR)/50-mha4rdb.rules)
	$(call put,644,packaging/samples/agent.conf,$(DOCDIR)/mha4rdb/samples/agent.conf)
	$(call put,644,packaging/samples/vipd.conf,$(DOCDIR)/mha4rdb/samples/vipd.conf)
	$(call put,644,packaging/samples/mariadb.cnf,$(DOCDIR)/mha4rdb/samples/mariadb.cnf)
	$(call put,644,packaging/samples/mysql.cnf,$(DOCDIR)/mha4rdb/samples/mysql.cnf)
	$(call put,644,packaging/samples/accounts-mysql.sql,$(DOCDIR)/mha4rdb/samples/accounts-mysql.sql)
	$(call put,644,packaging/samples/accounts.sql,$(DOCDIR)/mha4rdb/samples/accounts.sql)
	$(call put,644,README.md,$(DOCDIR)/mha4rdb/README.md)
	$(call put,644,packaging/copyright,$(DOCDIR)/mha4rdb/copyright)
	$(call put,644,LICENSE,$(DOCDIR)/mha4rdb/LICENSE)
	$(call put_man,mha4rdb-agent,8)
	$(call put_man,mha4rdb-dbworker,8)
	$(call put_man,mha4rdb-rebuild,8)
	$(call put_man,mha4rdb-vipd,8)
	$(call put_man,mhactl,1)
	$(call put_man,mha4rdb.conf,5)
	$(call put_man,mha4rdb,7)
	$(Q)install -d "$(DESTDIR)$(SYSCONFDIR)/mha4rdb"

install-arbiter: programs
	$(call put_program,mha4rdb-arbiter,$(SBINDIR))
	$(call put,644,packaging/systemd/mha4rdb-arbiter.service,$(UNITDIR)/mha4rdb-arbiter.service)
	$(call put,644,packaging/sysusers/mha4rdb-arbiter.conf,$(SYSUSERSDIR)/mha4rdb-arbiter.conf)
	$(call put,644,packaging/tmpfiles/mha4rdb-arbiter.conf,$(TMPFILESDIR)/mha4rdb-arbiter.conf)
	$(call put,644,packaging/samples/arbiter.conf,$(DOCDIR)/mha4rdb-arbiter/samples/arbiter.conf)
	$(call put,644,packaging/copyright,$(DOCDIR)/mha4rdb-arbiter/copyright)
	$(call put,644,LICENSE,$(DOCDIR)/mha4rdb-arbiter/LICENSE)
	$(call put_man,mha4rdb-arbiter,8)
	$(Q)install -d "$(DESTDIR)$(SYSCONFDIR)/mha4rdb"

# The lists of files, units, manual pages, samples.
packages-check: deb rpm ## make the packages and check what they hold
	sh tests/packaging.sh

DEB_TREES := build/deb/trees

deb: programs ## make the Debian packages (build/deb)
	@rm -rf build/deb
	@$(MAKE) --no-print-directory install-mha4rdb DESTDIR=$(abspath $(DEB_TREES))/mha4rdb
	@$(MAKE) --no-print-directory install-arbiter DESTDIR=$(abspath $(DEB_TREES))/mha4rdb-arbiter
	@sh packaging/deb/build.sh $(VERSION) $(abspath $(DEB_TREES)) $(abspath build/deb)

# Built where it stands, of the programs that are there: rpmbuild compiles nothing anew. --nodeps: the build
# host's libraries need not be known to an RPM database.
rpm: programs ## make the RPM packages (build/rpm)
	@rm -rf build/rpm
	@mkdir -p build/rpm
	$(Q)rpmbuild -bb --build-in-place --nodeps --quiet \
		--define "_topdir $(abspath build/rpm)" --define "_dbpath $(abspath build/rpm)/db" \
		--define "mha_version $(VERSION)" packaging/rpm/mha4rdb.spec
	@for package in build/rpm/RPMS/*/*.rpm; do echo "== $$package"; rpm -qpl --dbpath $(abspath build/rpm)/db "$$package"; done
