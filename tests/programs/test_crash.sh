#!/bin/bash
# A program that dies, dies as it would have without the library: status, core, signal, address.
. "$TOP/tests/lib.sh"

pattern=$(cat /proc/sys/kernel/core_pattern)
case $pattern in
"|"* | /*) cores= ;;
*) cores=1 ;;
esac

# In a folder of its own, so that its core is the only one there. The subshell dies with the
# program's signal as its own status.
die()
{
	local folder=$1 how=$2
	shift 2
	mkdir -p "$folder"
	(
		cd "$folder" || exit 1
		ulimit -Sc "${cores:+unlimited}" 2>/dev/null
		env "$@" "$PROGRAMS/crash" "$how" >out 2>err
		echo $? >status
	) 2>/dev/null
}

# Where exactly a stack overflows depends on where it began.
death()
{
	local core
	cat "$1/status" "$1/out"
	for core in "$1"/core*; do
		[ ! -e "$core" ] || /usr/bin/python3 "$TOP/tests/programs/core.py" "$core"
	done | case $1 in
	*.stack) sed 's/ at 0x[0-9a-f]*//' ;;
	*) cat ;;
	esac
}

for how in null far read-only no-access unmapped execute non-canonical stack bus blocked ignored \
	raise abort kill terminate child; do
	die "$WORK/plain.$how" $how PLAIN=1
	die "$WORK/watched.$how" $how LD_PRELOAD="$TEST_LIBRARY"
	expect_equal "$how" "$(death "$WORK/plain.$how")" "$(death "$WORK/watched.$how")"
	rm -f "$WORK"/*/core*
done
