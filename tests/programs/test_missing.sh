#!/bin/bash
# Stacks need no libunwind where the C library is new enough; without /proc there is no truth, and
# the report says so.
. "$TOP/tests/lib.sh"

mkdir "$WORK/broken"
echo "no library" >"$WORK/broken/libunwind.so.8"
out=$(watched LD_LIBRARY_PATH="$WORK/broken" "$PROGRAMS/four_pages" 2>"$WORK/stderr")
expect_equal "status without libunwind" 0 $?
expect_equal "output without libunwind" "four pages: two copied" "$out"
expect_equal "reports without libunwind" 1 "$(reports_in "$WORK/stderr")"
expect_equal "copied file pages without libunwind" 2 "$(report total file "$WORK/stderr")"
if ldd --version | head -1 | grep -q -e ' 2\.3[5-9]$' -e ' 2\.[4-9][0-9]$'; then
	grep -q main "$WORK/stderr" || wrong "there are no stacks without libunwind"
else
	grep -qi libunwind "$WORK/stderr" || wrong "the report does not say that libunwind is missing"
fi

unshare -m true 2>/dev/null ||
	echo "not checked without /proc: this user may not make a mount namespace"
unshare -m true 2>/dev/null || exit $failures
# exits.c asks the kernel nothing before its end, so it runs without /proc too.
out=$(unshare -m sh -c 'umount -l /proc && exec env LD_PRELOAD="$0" "$1" return' \
	"$TEST_LIBRARY" "$PROGRAMS/exits" 2>"$WORK/stderr")
expect_equal "status without /proc" 3 $?
expect_equal "output without /proc" "return" "$out"
grep -qi -e /proc -e pagemap "$WORK/stderr" || wrong "the report does not say that /proc is missing"
