#!/bin/bash
# Installs the Debian packages that a group of targets needs, only those that are missing.
#
#   tests/install.sh build|demo|check|bench ...
#
# COWSPY_NO_INSTALL=1: install nothing; what is missing will show by itself.
set -eu

packages_of()
{
	case $1 in
	build) echo gcc libc6-dev make binutils libunwind8 ;;
	demo) echo redis-server redis-tools ;;
	bench) echo python3-minimal ;;
	check)
		echo clang clang-format cppcheck shellcheck libcmocka-dev python3 \
			libpython3-testsuite redis-server redis-tools sqlite3 git bash procps
		;;
	*)
		echo "install.sh: no group of packages is called '$1'" >&2
		exit 2
		;;
	esac
}

fail()
{
	echo "install.sh: $1" >&2
	echo "install.sh: install these yourself and set COWSPY_NO_INSTALL=1: ${missing[*]}" >&2
	exit 1
}

installed()
{
	[ "$(dpkg-query -W -f '${db:Status-Status}' "$1" 2>/dev/null)" = installed ]
}

apt()
{
	"${root[@]}" env DEBIAN_FRONTEND=noninteractive apt-get -qq -o DPkg::Lock::Timeout=120 "$@"
}

[ -z "${COWSPY_NO_INSTALL:-}" ] || exit 0

missing=()
for group; do
	packages=$(packages_of "$group")
	for package in $packages; do
		installed "$package" || missing+=("$package")
	done
done
[ ${#missing[@]} -gt 0 ] || exit 0

command -v apt-get >/dev/null || fail "this is no Debian: there is no apt-get"
root=()
if [ "$(id -u)" != 0 ]; then
	command -v sudo >/dev/null || fail "neither root nor sudo: cannot install packages"
	root=(sudo)
fi

echo "installing Debian packages: ${missing[*]}"
log=$(mktemp)
trap 'rm -f "$log"' EXIT
# A fresh machine may have no package lists, an old one lists that name vanished versions.
if ! apt install -y --no-install-recommends "${missing[@]}" >"$log" 2>&1; then
	if ! { apt update && apt install -y --no-install-recommends "${missing[@]}"; } >"$log" 2>&1
	then
		cat "$log" >&2
		fail "apt-get could not install the packages"
	fi
fi
