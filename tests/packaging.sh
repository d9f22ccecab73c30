#!/bin/sh
# What the packages hold: the list of files, units that systemd accepts, manual pages without a warning, the samples that the
# programs accept. Unpacks into a scratch folder and installs nothing. Run after `make deb rpm`, from the top folder.
set -u
# A file that is missing stops it; a check that fails is counted.

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
failures=0

fail() {
	echo "FAILED: $*" >&2
	failures=$((failures + 1))
}

# The one file that a pattern found.
only() {
	if [ $# != 1 ] || [ ! -f "$1" ]; then
		echo "packaging: $*: there must be one such file; run make deb rpm" >&2
		exit 1
	fi
	echo "$1"
}

# same WHAT EXPECTED ACTUAL
same() {
	if ! diff -u "$2" "$3"; then
		fail "$1: the list of files is not the expected one (-: missing, +: unexpected)"
	fi
}

host_files() {
	cat <<-END
		/etc/mha4rdb
		/usr/bin/mhactl
		/usr/lib/systemd/system/mariadb.service.d/50-mha4rdb.conf
		/usr/lib/systemd/system/mariadb.socket.d/50-mha4rdb.conf
		/usr/lib/systemd/system/mha4rdb-agent.service
		/usr/lib/systemd/system/mha4rdb-donate.socket
		/usr/lib/systemd/system/mha4rdb-donate@.service
		/usr/lib/systemd/system/mha4rdb-mariadb-follow.service
		/usr/lib/systemd/system/mha4rdb-receive.socket
		/usr/lib/systemd/system/mha4rdb-receive@.service
		/usr/lib/systemd/system/mha4rdb-vipd.service
		/usr/lib/systemd/system/mysql.service.d/50-mha4rdb.conf
		/usr/lib/systemd/system/mysqld.service.d/50-mha4rdb.conf
		/usr/lib/sysusers.d/mha4rdb.conf
		/usr/lib/tmpfiles.d/mha4rdb.conf
		/usr/libexec/mha4rdb/mariadb-donate
		/usr/libexec/mha4rdb/mariadb-follow
		/usr/libexec/mha4rdb/mariadb-receive
		/usr/libexec/mha4rdb/mysqld-stop
		/usr/sbin/mha4rdb-agent
		/usr/sbin/mha4rdb-dbworker
		/usr/sbin/mha4rdb-rebuild
		/usr/sbin/mha4rdb-vipd
		/usr/share/doc/mha4rdb/LICENSE
		/usr/share/doc/mha4rdb/README.md
		/usr/share/doc/mha4rdb/copyright
		/usr/share/doc/mha4rdb/samples/accounts-mysql.sql
		/usr/share/doc/mha4rdb/samples/accounts.sql
		/usr/share/doc/mha4rdb/samples/agent.conf
		/usr/share/doc/mha4rdb/samples/mariadb.cnf
		/usr/share/doc/mha4rdb/samples/mysql.cnf
		/usr/share/doc/mha4rdb/samples/vipd.conf
		/usr/share/man/man1/mhactl.1.gz
		/usr/share/man/man5/mha4rdb.conf.5.gz
		/usr/share/man/man7/mha4rdb.7.gz
		/usr/share/man/man8/mha4rdb-agent.8.gz
		/usr/share/man/man8/mha4rdb-dbworker.8.gz
		/usr/share/man/man8/mha4rdb-rebuild.8.gz
		/usr/share/man/man8/mha4rdb-vipd.8.gz
		/usr/share/polkit-1/rules.d/50-mha4rdb.rules
	END
}

arbiter_files() {
	cat <<-END
		/etc/mha4rdb
		/usr/lib/systemd/system/mha4rdb-arbiter.service
		/usr/lib/sysusers.d/mha4rdb-arbiter.conf
		/usr/lib/tmpfiles.d/mha4rdb-arbiter.conf
		/usr/sbin/mha4rdb-arbiter
		/usr/share/doc/mha4rdb-arbiter/LICENSE
		/usr/share/doc/mha4rdb-arbiter/copyright
		/usr/share/doc/mha4rdb-arbiter/samples/arbiter.conf
		/usr/share/man/man8/mha4rdb-arbiter.8.gz
	END
}

host_files | LC_ALL=C sort >"$work/host"
arbiter_files | LC_ALL=C sort >"$work/arbiter"

# ---- the Debian packages ----

# check_deb FILE EXPECTED
check_deb() {
	root=$work/$(basename "$1" .deb)
	dpkg-deb -x "$1" "$root" || fail "$1: cannot be unpacked"
	dpkg-deb -e "$1" "$root/DEBIAN" || fail "$1: has no control files"
	(cd "$root" && find . -path ./DEBIAN -prune -o ! -type d -print -o -path ./etc/mha4rdb -print) |
		sed 's/^\.//' | LC_ALL=C sort >"$work/actual"
	same "$1" "$2" "$work/actual"
	owners=$(dpkg-deb -c "$1" | awk '{print $2}' | sort -u)
	[ "$owners" = root/root ] || fail "$1: files belong to others than root: $owners"
	loose=$(find "$root" -path "$root/DEBIAN" -prune -o -type f -perm /022 -print)
	[ -z "$loose" ] || fail "$1: writable by others than root: $loose"
	(cd "$root" && md5sum --quiet -c DEBIAN/md5sums) || fail "$1: its checksums are wrong"
	grep -q '^Depends: .*libc6 ' "$root/DEBIAN/control" || fail "$1: depends on no library"
	for script in postinst prerm postrm; do
		sh -n "$root/DEBIAN/$script" || fail "$1: $script"
	done
}

file=$(only build/deb/mha4rdb_*.deb) || exit 1
check_deb "$file" "$work/host"
host=$root
file=$(only build/deb/mha4rdb-arbiter_*.deb) || exit 1
check_deb "$file" "$work/arbiter"
arbiter=$root

# ---- the units, users and folders ----

if command -v systemd-analyze >/dev/null; then
	# Verified as units of one host. Both packages go into one tree, with a server's unit as Debian has it.
	mkdir -p "$work/all" "$work/all/usr/bin"
	cp -a "$host/usr" "$host/etc" "$work/all/"
	cp -a "$arbiter/usr" "$arbiter/etc" "$work/all/"
	cp -aL /bin/sh "$work/all/usr/bin/true"
	# shellcheck disable=SC2016 # systemd expands it
	printf '[Unit]\nDescription=server\n[Service]\nType=notify\nExecStart=/usr/bin/true $MYSQLD_OPTS\nRestart=on-abnormal\n' \
		>"$work/all/usr/lib/systemd/system/mariadb.service"
	for unit in mysql mysqld; do
		printf '[Unit]\nDescription=server\n[Service]\nType=notify\nExecStart=/usr/bin/true\nRestart=on-failure\n' \
			>"$work/all/usr/lib/systemd/system/$unit.service"
	done
	for unit in mha4rdb-donate mha4rdb-receive; do
		# a template is verified as an instance of it
		said=$(systemd-analyze verify --man=no --recursive-errors=no --root="$work/all" "$unit.socket" "$unit@1.service" 2>&1)
		[ -z "$said" ] || fail "$unit.socket: $said"
	done
	for unit in mha4rdb-agent mha4rdb-vipd mha4rdb-arbiter mha4rdb-mariadb-follow mariadb mysql mysqld; do
		said=$(systemd-analyze verify --man=no --recursive-errors=no --root="$work/all" "$unit.service" 2>&1)
		[ -z "$said" ] || fail "$unit.service: $said"
	done
fi
if command -v systemd-sysusers >/dev/null; then
	mkdir -p "$work/users/etc"
	cp -a "$host/usr" "$work/users/"
	systemd-sysusers --root="$work/users" "$host/usr/lib/sysusers.d/mha4rdb.conf" >"$work/said" 2>&1 ||
		fail "sysusers: $(cat "$work/said")"
	for user in mha4rdb mha4rdb-vipd; do
		grep -q "^$user:" "$work/users/etc/passwd" || fail "sysusers: user $user is not made"
	done
	for file in "$host/usr/lib/tmpfiles.d/mha4rdb.conf" "$arbiter/usr/lib/tmpfiles.d/mha4rdb-arbiter.conf"; do
		systemd-tmpfiles --create --root="$work/users" "$file" >"$work/said" 2>&1 || [ "$(id -u)" != 0 ] ||
			fail "tmpfiles: $(cat "$work/said")"
	done
fi

# ---- the manual pages ----

for page in "$host"/usr/share/man/man*/*.gz "$arbiter"/usr/share/man/man*/*.gz; do
	gzip -t "$page" || fail "$page"
	gzip -dc "$page" >"$work/$(basename "$page" .gz)"
	mandoc -Tlint -W warning "$work/$(basename "$page" .gz)" || fail "$page"
done

# ---- mhactl, and the samples ----

"$host/usr/bin/mhactl" --version >/dev/null || fail "mhactl does not run"
"$host/usr/bin/mhactl" key generate -o "$work/shop.key" 2>/dev/null || fail "mhactl key generate"
echo "password one" >"$work/db.password"
echo "password two" >"$work/replication.password"
chmod 640 "$work"/*.password
for sample in "$host"/usr/share/doc/mha4rdb/samples/*.conf "$arbiter"/usr/share/doc/mha4rdb-arbiter/samples/*.conf; do
	# The samples name an administrator's files and the packages' users: those of this test stand in.
	sed -e "s|/etc/mha4rdb/|$work/|" -e "s|peer_user = \"mha4rdb\"|peer_user = \"$(id -u)\"|" "$sample" >"$work/sample.conf"
	name=$(basename "$sample" .conf)
	program=$host/usr/sbin/mha4rdb-$name
	[ "$name" != arbiter ] || program=$arbiter/usr/sbin/mha4rdb-arbiter
	"$program" -t -c "$work/sample.conf" || fail "$sample: its program does not accept it"
done

# ---- the RPM packages ----

# check_rpm FILE EXPECTED
check_rpm() {
	# Folders are listed too; only /etc/mha4rdb counts.
	rpm -qp --dbpath "$work/rpmdb" --queryformat '[%{FILEMODES:perms} %{FILEUSERNAME} %{FILENAMES}\n]' "$1" >"$work/listed" ||
		fail "$1: cannot be read"
	awk '$3 == "/etc/mha4rdb" || $1 !~ /^d/ {print $3}' "$work/listed" | LC_ALL=C sort >"$work/actual"
	same "$1" "$2" "$work/actual"
	strange=$(awk '$2 != "root"' "$work/listed")
	[ -z "$strange" ] || fail "$1: files belong to others than root: $strange"
}

if command -v rpm >/dev/null; then
	file=$(only build/rpm/RPMS/*/mha4rdb-[0-9]*.rpm) || exit 1
	check_rpm "$file" "$work/host"
	file=$(only build/rpm/RPMS/*/mha4rdb-arbiter-*.rpm) || exit 1
	check_rpm "$file" "$work/arbiter"
fi

if [ "$failures" != 0 ]; then
	echo "packaging: $failures failures" >&2
	exit 1
fi
echo "packaging: all is as expected"
