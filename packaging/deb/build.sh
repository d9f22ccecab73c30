#!/bin/sh
# Makes build/deb/*.deb of the trees that `make install` filled: build.sh VERSION TREES OUTPUT
# (TREES/<package> is a package's root). Needs no root: dpkg-deb writes the owner itself.
set -eu

version=$1
trees=$2
output=$3
here=$(dirname "$0")
architecture=$(dpkg --print-architecture)

# dpkg-shlibdeps wants to stand beside a source package's control file.
shlibs() {
	mkdir -p "$trees/shlibs/debian"
	echo "Source: mha4rdb" >"$trees/shlibs/debian/control"
	elves=
	for program in "$trees/$1"/usr/bin/* "$trees/$1"/usr/sbin/*; do
		if [ -f "$program" ]; then
			elves="$elves $program"
		fi
	done
	# shellcheck disable=SC2086 # a list of words
	(cd "$trees/shlibs" && dpkg-shlibdeps -O $elves) | sed -n 's/^shlibs:Depends=//p'
}

for package in mha4rdb mha4rdb-arbiter; do
	root=$trees/$package
	rm -rf "$root/DEBIAN"
	size=$(du -sk "$root" | cut -f1)
	mkdir "$root/DEBIAN" # dpkg-shlibdeps knows a package's tree by it
	depends=$(shlibs "$package")
	sed -e "s/@VERSION@/$version/; s/@ARCHITECTURE@/$architecture/; s/@SIZE@/$size/; s/@SHLIBS@/$depends/" \
		"$here/$package.control" >"$root/DEBIAN/control"
	install -m 755 "$here/$package.postinst" "$root/DEBIAN/postinst"
	install -m 755 "$here/$package.prerm" "$root/DEBIAN/prerm"
	install -m 755 "$here/postrm" "$root/DEBIAN/postrm"
	(cd "$root" && find usr etc -type f -exec md5sum {} +) >"$root/DEBIAN/md5sums"
	dpkg-deb --root-owner-group --build "$root" "$output/${package}_${version}_${architecture}.deb"
done
