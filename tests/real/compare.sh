#!/bin/bash
# Runs a command plain and watched, each in an empty folder of its own, and compares what it did.
#
#   compare.sh [--files PATTERN] [--filter SED] [--stdin FILE] [--before LIBRARY] [--after LIBRARY]
#              [--killed] COMMAND ...
#
# --killed: signals end some of its processes, which leave a trace but an empty report.
# LIBRARY is preloaded in both runs, before or after cowspy's.
#
# Compared: exit status, stdout, stderr without cowspy's own lines, and the files that match
# PATTERN afterwards. SED takes out what differs between any two runs: times, process ids. The
# reports of all processes are checked for their sums; one at least must be there. Prints what
# differs; WORK/compare.* stays for a closer look until the test ends.
set -u

files="" filter="" stdin=/dev/null before="" after="" size=
while :; do
	case $1 in
	--files) files=$2 ;;
	--filter) filter=$2 ;;
	--stdin) stdin=$2 ;;
	--before) before=$2 ;;
	--after) after=$2 ;;
	--killed) size="-size +0" && shift && continue ;;
	*) break ;;
	esac
	shift 2
done

folder=$(mktemp -d "$WORK/compare.XXXXXX")

# Both runs see the same path as their working folder: it may occur in their output.
run()
{
	local name=$1
	shift
	mkdir "$folder/work"
	(cd "$folder/work" && env "$@" <"$stdin" >../"$name.stdout" 2>../"$name.stderr.all")
	echo $? >"$folder/$name.status"
	mv "$folder/work" "$folder/$name"
	grep -v '^cowspy: ' "$folder/$name.stderr.all" >"$folder/$name.stderr"
	sed -i -E -e "$filter" "$folder/$name.stdout" "$folder/$name.stderr"
}

mkdir "$folder/reports"
run plain LD_PRELOAD="$before $after" "$@"
run watched COWSPY_OUTPUT="$folder/reports/%p" LD_PRELOAD="$before $TEST_LIBRARY $after" "$@"

status=0
for what in status stdout stderr; do
	diff -u "$folder/plain.$what" "$folder/watched.$what" >"$folder/diff" && continue
	echo "$what differs: $*"
	head -40 "$folder/diff"
	status=1
done
# shellcheck disable=SC2086 # a pattern
for path in $(cd "$folder/plain" && ls -d $files 2>/dev/null); do
	diff -r "$folder/plain/$path" "$folder/watched/$path" && continue
	echo "the file $path differs: $*"
	status=1
done
if [ -z "$(ls -A "$folder/reports")" ]; then
	echo "no report: $*"
	exit 1
fi
# shellcheck disable=SC2086 # words
find "$folder/reports" -type f $size -exec \
	/usr/bin/python3 "$TOP/tests/programs/report.py" check {} + || status=1
exit $status
