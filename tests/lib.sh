# What the shell tests share. tests/run.sh sets WORK (a folder of the test's own), TOP, PROGRAMS and
# TEST_LIBRARY.
# shellcheck shell=bash
set -u

failures=0
trap 'finish' EXIT

finish()
{
	local status=$?
	jobs -p | xargs -r kill 2>/dev/null
	[ $status != 0 ] || [ $failures = 0 ] || exit 1
}

# Note a failure and go on.
wrong()
{
	echo "wrong: $*"
	failures=$((failures + 1))
}

skip()
{
	echo "$*"
	exit 77
}

expect_equal()
{
	[ "$2" = "$3" ] || wrong "$1: expected '$2', got '$3'"
}

# Run a command under the library: watched [NAME=VALUE ...] COMMAND ...
watched()
{
	env LD_PRELOAD="$TEST_LIBRARY" "$@"
}

report()
{
	/usr/bin/python3 "$TOP/tests/programs/report.py" "$@"
}

# The number of reports in all these files; none when there is no such file.
reports_in()
{
	local file sum=0
	for file; do
		[ ! -e "$file" ] || sum=$((sum + $(report count "$file")))
	done
	echo $sum
}
