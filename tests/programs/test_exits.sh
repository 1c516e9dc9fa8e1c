#!/bin/bash
# Each way to end a process writes its report once, and keeps output and status.
. "$TOP/tests/lib.sh"

check_exit()
{
	local how=$1 reports=$2 plain status folder
	folder=$(mktemp -d "$WORK/XXXXXX")
	plain=$("$PROGRAMS/exits" "$how" 2>&1)
	status=$?
	out=$(watched COWSPY_OUTPUT="$folder/report.%p" COWSPY_PAGE_MAP=1000 \
		CHECK_NOTES="$folder/notes" "$PROGRAMS/exits" "$how" 2>"$folder/stderr")
	expect_equal "status of $how" $status $?
	expect_equal "output of $how" "$plain" "$out"
	expect_equal "reports of $how" "$reports" "$(reports_in "$folder"/report.*)"
	report judge "$folder/notes" "$folder/report." || wrong "report of $how"

	out=$(watched "$PROGRAMS/exits" "$how" 2>"$folder/stderr")
	expect_equal "bare: status of $how" $status $?
	expect_equal "bare: output of $how" "$plain" "$out"
	[ "$how" = "closed stderr" ] ||
		expect_equal "bare: reports of $how" 1 "$(reports_in "$folder/stderr")"
}

for how in return exit atexit _exit _Exit quick_exit thread "last thread" "closed stderr" \
	"failed exec" signalled; do
	check_exit "$how" 1
done
# The new program reports too, since a pattern asks for it; bare, it is silent.
check_exit exec 2

# A report on a pipe that nobody reads any more: SIGPIPE is not for the program.
{
	sleep 0.3
	watched "$PROGRAMS/exits" return >/dev/null
	echo $? >"$WORK/status"
} 2>&1 | true
until [ -s "$WORK/status" ]; do sleep 0.05; done
expect_equal "with nobody to read the report" 3 "$(cat "$WORK/status")"
