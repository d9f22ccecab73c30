#!/bin/sh
# Puts a server that the distribution's own release does not have into a folder of its own, with all its libraries:
#   fetch.sh mysql|mariadb DIRECTORY
# It comes from the same archive as the machine's other packages, from the unstable suite, and touches nothing outside
# DIRECTORY. What is left there:
#   bin/          the programs, each with its own loader and libraries
#   server.cnf    for --defaults-file: what a server needs to find its own files
#   usr/          the packages' files; usr/include and usr/lib/ARCH have the client library
set -eu

case "$1" in
mysql) packages="mysql-server-core mysql-client-core libmysqlclient-dev" ;;
mariadb) packages="mariadb-server-core mariadb-client-core mariadb-backup" ;;
*) echo "fetch.sh: mysql or mariadb, not \"$1\"" >&2; exit 2 ;;
esac
kind=$1
final=$(realpath -m "$2")
arch=$(dpkg-architecture -qDEB_HOST_MULTIARCH)
# The folder appears whole or not at all.
prefix=$final.new
rm -rf "$prefix"
mkdir -p "$prefix/apt/lists/partial" "$prefix/apt/cache/archives/partial"

# shellcheck disable=SC2016  # apt's own variables
archive=$(apt-get indextargets --format '$(REPO_URI) $(COMPONENT)' 'Created-By: Packages' |
    awk '$2 == "main" && $1 ~ /\/debian\/?$/ { print $1; exit }')
[ -n "$archive" ] || { echo "fetch.sh: no Debian archive among this machine's package sources" >&2; exit 1; }
keyring=/usr/share/keyrings/debian-archive-keyring.gpg
echo "deb [signed-by=$keyring] $archive sid main" >"$prefix/apt/sources.list"
: >"$prefix/apt/status"
own_apt() {
    apt-get -q -y -o "Dir::Etc::sourcelist=$prefix/apt/sources.list" -o Dir::Etc::sourceparts=- \
        -o "Dir::State=$prefix/apt" -o "Dir::State::lists=$prefix/apt/lists" -o "Dir::State::status=$prefix/apt/status" \
        -o "Dir::Cache=$prefix/apt/cache" -o APT::Sandbox::User=root -o Acquire::Languages=none -o Acquire::Retries=3 "$@"
}
own_apt update >"$prefix/apt/log" 2>&1 || { cat "$prefix/apt/log" >&2; exit 1; }
# With an empty list of what is installed all dependencies come along, the C library too.
# shellcheck disable=SC2086  # names
own_apt --no-install-recommends --download-only install $packages >>"$prefix/apt/log" 2>&1 ||
    { cat "$prefix/apt/log" >&2; exit 1; }
for package in "$prefix"/apt/cache/archives/*.deb; do
    case ${package##*/} in
    perl* | libperl* | linux-libc-dev* | libc6-dev* | libc-dev-bin* | libc-gconv* | galera*) ;;
    *) dpkg-deb -x "$package" "$prefix" ;;
    esac
done
rm -rf "$prefix/apt" "$prefix/usr/share/doc" "$prefix/usr/share/man" "$prefix/usr/share/locale"

# The loader's and the libraries' own folder is where they will be.
loader=$(cd "$prefix" && find usr/lib usr/lib64 lib lib64 -name 'ld-linux*.so*' 2>/dev/null | head -n 1)
libraries=$final/usr/lib/$arch:$final/lib/$arch
mkdir "$prefix/bin"
for program in "$prefix"/usr/sbin/* "$prefix"/usr/bin/*; do
    if [ -f "$program" ] && [ ! -L "$program" ] && patchelf --print-interpreter "$program" >/dev/null 2>&1; then
        patchelf --set-interpreter "$final/$loader" --force-rpath --set-rpath "$libraries" "$program"
        ln -s "..${program#"$prefix"}" "$prefix/bin/${program##*/}"
    fi
done

if [ "$kind" = mysql ]; then
    cat >"$prefix/server.cnf" <<END
[mysqld]
basedir = $final/usr
lc_messages_dir = $final/usr/share/mysql
character_sets_dir = $final/usr/share/mysql/charsets
plugin_dir = $final/usr/lib/mysql/plugin
secure_file_priv = NULL
mysqlx = OFF
plugin_load_add = semisync_source.so
plugin_load_add = semisync_replica.so
plugin_load_add = mysql_clone.so
END
else
    # share/mysql up to 10.11, share/mariadb in 11.8: where the files are
    charsets=$(cd "$prefix" && find usr/share -path '*/charsets/Index.xml' | head -n 1)
    [ -n "$charsets" ] || { echo "fetch.sh: no character sets in MariaDB's packages" >&2; exit 1; }
    share=${charsets%/charsets/Index.xml}
    cat >"$prefix/server.cnf" <<END
[mariadbd]
basedir = $final/usr
lc_messages_dir = $final/$share
character_sets_dir = $final/$share/charsets
plugin_dir = $final/usr/lib/mysql/plugin
END
fi
rm -rf "$final"
mv "$prefix" "$final"
