#!/bin/bash
# cowspy.h in C and C++, by both compilers, with the library and without; what the library exports;
# what `make install` puts where.
. "$TOP/tests/lib.sh"

strict=(-Wall -Wextra -Wpedantic -Wshadow -Werror -I"$TOP/include")
source=$TOP/tests/programs/header.c

# compiled NAME COMMAND ...: compiles and runs it.
compiled()
{
	local name=$1
	shift
	if ! "$@" "${strict[@]}" -o "$WORK/header" "$source"; then
		wrong "$name: does not compile"
		return
	fi
	expect_equal "$name, alone" absent "$("$WORK/header")"
	expect_equal "$name, watched" present \
		"$(watched COWSPY_OUTPUT="$WORK/report.%p" "$WORK/header" 2>/dev/null)"
}

for standard in c89 c99 gnu11 c17; do
	compiled "gcc $standard" gcc -std=$standard -O2
	compiled "clang $standard" clang -std=$standard -O0
done
for standard in c++98 c++11 c++17 gnu++20; do
	compiled "g++ $standard" g++ -x c++ -std=$standard -O0
	compiled "clang++ $standard" clang++ -x c++ -std=$standard -O2
done
compiled "gcc, position-dependent" gcc -O0 -fno-pie -no-pie
compiled "gcc -O3, position-dependent" gcc -O3 -fno-pie -no-pie
compiled "clang, position-dependent" clang -O2 -fPIE -no-pie
gcc "${strict[@]}" -O0 -static -o "$WORK/header" "$source" || wrong "static: does not link"
expect_equal "static" absent "$("$WORK/header")"

# Included twice in one program.
echo '#include <cowspy.h>
int other(void); int other(void) { return cowspy_label("other"); }' >"$WORK/other.c"
gcc "${strict[@]}" -o "$WORK/header" "$source" "$WORK/other.c" || wrong "two files: does not link"

# Exported: the API with its version, and names of libc without any, or programs would miss them.
libc=$(ldd "$WORK/other" 2>/dev/null || ldd "$PROGRAMS/header")
libc=$(sed -n 's/.*libc\.so\.6 => \([^ ]*\).*/\1/p' <<<"$libc")
nm -D --defined-only "$libc" | awk '{print $3}' | sed 's/@.*//' | sort -u >"$WORK/libc"
nm -D --defined-only "$TEST_LIBRARY" | awk '$2 != "A" {print $3}' | sort >"$WORK/ours"
grep '^cowspy_' "$WORK/ours" | sed 's/@@COWSPY_1$//' >"$WORK/api"
grep -o '^int cowspy_1_[a-z]*' "$TOP/include/cowspy.h" | sed 's/int cowspy_1_/cowspy_/' | sort |
	diff - "$WORK/api" || wrong "the API is not what is exported"
strangers=$(grep -v '^cowspy_' "$WORK/ours" | comm -23 - "$WORK/libc" | tr '\n' ' ')
# Of older versions of libc, or of the linker's.
expect_equal "exported, and not libc's" "" "${strangers# }"

# Installed.
"${MAKE:-make}" -C "$TOP" --no-print-directory BUILD="$(dirname "$TEST_LIBRARY")" \
	DESTDIR="$WORK/root" PREFIX=/usr install >/dev/null || wrong "make install"
export PKG_CONFIG_PATH=$WORK/root/usr/lib/pkgconfig
expect_equal "library of pkg-config" /usr/lib/libcowspy.so "$(pkg-config --variable=library cowspy)"
export PKG_CONFIG_SYSROOT_DIR=$WORK/root PKG_CONFIG_ALLOW_SYSTEM_CFLAGS=1
pkg-config --cflags cowspy >"$WORK/flags" || wrong "pkg-config"
read -r -a flags <"$WORK/flags"
gcc "${flags[@]}" -o "$WORK/header" "$source" || wrong "with the installed header"
[ -e "$WORK/root/usr/share/man/man3/cowspy.3" ] || wrong "no man page of the API"
expect_equal "installed" present "$(env LD_PRELOAD="$WORK/root/usr/lib/libcowspy.so" \
	COWSPY_OUTPUT="$WORK/report.%p" "$WORK/header" 2>/dev/null)"
