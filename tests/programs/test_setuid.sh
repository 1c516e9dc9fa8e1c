#!/bin/bash
# Programs that run with another's rights (AT_SECURE): the loader ignores us, and where it is told to
# trust us we do nothing. Report and trace never follow a link that somebody put in their way.
. "$TOP/tests/lib.sh"

[ "$(id -u)" = 0 ] || skip "only root can make a setuid program"
chmod 755 "$WORK"
nosuid=$(findmnt -n -o OPTIONS -T "$WORK" | grep -cw nosuid)
[ "$nosuid" = 0 ] || skip "no setuid programs in $WORK"

# as_nobody [NAME=VALUE ...] COMMAND: status and output as without us, no file of root's.
as_nobody()
{
	setpriv --reuid=65534 --regid=65534 --clear-groups env "$@"
}

mkdir -m 1777 "$WORK/shared"
cp "$PROGRAMS/four_pages" "$WORK/setuid"
cp "$TEST_LIBRARY" "$WORK/libcowspy.so"
chmod 755 "$WORK/libcowspy.so"
chmod 4755 "$WORK/setuid"

expect_untouched()
{
	expect_equal "$1: output" "four pages: two copied" "$(cat "$WORK/stdout")"
	expect_equal "$1: files" "" "$(ls "$WORK/shared")"
	! grep '^cowspy: ' "$WORK/stderr" || wrong "$1: it speaks"
}

as_nobody LD_PRELOAD="$WORK/libcowspy.so" COWSPY_OUTPUT="$WORK/shared/%p" \
	"$WORK/setuid" >"$WORK/stdout" 2>"$WORK/stderr"
expect_equal "setuid: status" 0 $?
expect_untouched "setuid"

# In a folder that the loader trusts, itself setuid, the library is loaded even then.
trusted()
{
	unshare -m bash -eu <<-SCRIPT
		mkdir "$WORK/upper" "$WORK/temporary"
		mount -t overlay overlay /usr/lib \
			-o lowerdir=/usr/lib,upperdir="$WORK/upper",workdir="$WORK/temporary"
		cp "$TEST_LIBRARY" /usr/lib/libcowspy.so
		chmod 4755 /usr/lib/libcowspy.so
		$(declare -f as_nobody)
		as_nobody LD_PRELOAD=libcowspy.so COWSPY_OUTPUT="$WORK/shared/%p" \
			"$WORK/setuid" >"$WORK/stdout" 2>"$WORK/stderr"
		as_nobody LD_PRELOAD=libcowspy.so LD_DEBUG=files \
			"$PROGRAMS/four_pages" 2>&1 | grep -q 'calling init:.*libcowspy.so'
	SCRIPT
}
if unshare -m mount -t tmpfs tmpfs "$WORK/shared" 2>/dev/null; then
	trusted || wrong "the trusted library"
	expect_untouched "trusted"
else
	echo "not checked in a trusted folder: no mount namespaces here"
fi

# A link in a shared folder, under the very name of the report.
echo "precious" >"$WORK/precious"
ln -s "$WORK/precious" "$WORK/shared/report"
ln -s "$WORK/precious" "$WORK/shared/report.trace"
ln -s "$WORK/nothing" "$WORK/shared/dangling"
for name in report dangling; do
	watched COWSPY_OUTPUT="$WORK/shared/$name" "$PROGRAMS/four_pages" >"$WORK/stdout" 2>"$WORK/stderr"
	expect_equal "$name: status" 0 $?
	expect_equal "$name: output" "four pages: two copied" "$(cat "$WORK/stdout")"
	[ -s "$WORK/stderr" ] || wrong "$name: not a word about it"
done
expect_equal "what the link points to" "precious" "$(cat "$WORK/precious")"
[ ! -e "$WORK/nothing" ] || wrong "written through a dangling link"
find "$WORK/shared" -type f -not -perm 600 | grep . && wrong "a file that others may read"
exit 0
