#!/bin/bash
# Installs the Debian packages that a group of targets needs, only those that are missing.
#
#   tests/install.sh build|demo|check|bench|package|export|html ...
#
# TEST_NO_INSTALL=1: install nothing; what is missing will show by itself.
set -eu

packages_of()
{
	case $1 in
	build)
		echo gcc libc6-dev make binutils libunwind8 libjson-c-dev libdw-dev zlib1g-dev \
			libprotobuf-c-dev protobuf-c-compiler libncurses-dev node-d3
		;;
	demo) echo redis-server redis-tools ;;
	package) echo debhelper dpkg-dev debootstrap ;;
	export) echo golang-go curl chromium python3-jsonschema "$(unless_there npm)" ;;
	html) echo chromium fonts-dejavu-core ;;
	bench) echo python3-minimal ;; # peers and programs are measured when they are there
	check)
		echo g++ pkg-config clang clang-format cppcheck shellcheck libcmocka-dev
		echo python3 "libpython$(python_version)-testsuite" "python$(python_version)-dbg"
		echo protobuf-compiler python3-jsonschema tmux
		echo bash git sqlite3
		echo redis-server redis-tools gunicorn puma
		echo libjemalloc2 libgoogle-perftools4 libmimalloc2.0
		echo libgc-dev libsigsegv-dev libunwind-dev
		echo golang-go perl php-cli ruby "$(unless_there node nodejs)" \
			"$(unless_there javac default-jdk-headless)"
		echo stress-ng gdb strace fio liburing-dev
		echo postgresql apache2-bin apache2-utils nginx php-fpm libfcgi-bin curl openssl
		;;
	*)
		echo "install.sh: no group of packages is called '$1'" >&2
		exit 2
		;;
	esac
}

# Of what may also come from elsewhere: a command, and its package when the name differs.
unless_there()
{
	command -v "$1" >/dev/null || echo "${2:-$1}"
}

# 3.11, say: its package of tests carries it in its name.
python_version()
{
	apt-cache show python3 2>/dev/null | sed -n 's/^Version: \(3\.[0-9]*\).*/\1/p' | head -1
}

fail()
{
	echo "install.sh: $1" >&2
	echo "install.sh: install what is missing yourself and set TEST_NO_INSTALL=1" >&2
	exit 1
}

# Sets missing to the packages of all these groups that are not installed.
find_missing()
{
	local group package packages
	missing=()
	for group; do
		packages=$(packages_of "$group")
		for package in $packages; do
			[ "$(dpkg-query -W -f '${db:Status-Status}' "$package" 2>/dev/null)" = installed ] ||
				missing+=("$package")
		done
	done
}

apt()
{
	"${root[@]}" env DEBIAN_FRONTEND=noninteractive apt-get -qq -o DPkg::Lock::Timeout=120 "$@"
}

install_missing()
{
	[ ${#missing[@]} = 0 ] || apt install -y --no-install-recommends "${missing[@]}" >"$log" 2>&1
}

[ -z "${TEST_NO_INSTALL:-}" ] || exit 0
command -v apt-get >/dev/null || fail "this is no Debian: there is no apt-get"
find_missing "$@"
[ ${#missing[@]} -gt 0 ] || exit 0

root=()
if [ "$(id -u)" != 0 ]; then
	command -v sudo >/dev/null || fail "neither root nor sudo to install ${missing[*]}"
	root=(sudo)
fi
echo "installing Debian packages: ${missing[*]}"
log=$(mktemp)
trap 'rm -f "$log"' EXIT
install_missing && exit 0
# A fresh machine has no package lists, an old one lists versions that are gone.
if ! apt update >"$log" 2>&1 || ! { find_missing "$@" && install_missing; }; then
	cat "$log" >&2
	fail "apt-get could not install ${missing[*]}"
fi
