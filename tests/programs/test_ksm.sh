#!/bin/bash
# Pages that KSM merged are no copies any more. As root: lets KSM run meanwhile.
. "$TOP/tests/lib.sh"

ksm=/sys/kernel/mm/ksm
[ -w $ksm/run ] || skip "KSM cannot be switched here"
exec 9<$ksm/run
flock 9 # another run of this test would switch it off
run=$(cat $ksm/run) scan=$(cat $ksm/pages_to_scan)
trap 'echo $run >$ksm/run; echo $scan >$ksm/pages_to_scan; finish' EXIT
echo 1 >$ksm/run
echo 2000 >$ksm/pages_to_scan

expect_equal "plain" merged "$("$PROGRAMS/merged")"
expect_equal "watched" merged "$(CHECK_NOTES="$WORK/notes" \
	watched COWSPY_OUTPUT="$WORK/report.%p" "$PROGRAMS/merged" 2>/dev/null)"
report judge "$WORK/notes" "$WORK/report." || wrong "the report"
copied=$(sed -n 's/^copied \([0-9]*\) .*/\1/p' "$WORK"/report.*[0-9] | tr '\n' ' ')
expect_equal "copied, in three reports" "64 0 1 " "$copied"
