#!/bin/bash
# A value that cannot be parsed is one clear line and the default, never a dead program.
. "$TOP/tests/lib.sh"

bad=(COWSPY_SIGNAL=banana COWSPY_SIGNAL=KILL COWSPY_SIGNAL=99 COWSPY_SCOPE=some
	COWSPY_STACK_DEPTH=-1 COWSPY_STACK_DEPTH=many COWSPY_STACK_DEPTH=999999999999
	COWSPY_PAGE_MAP=x COWSPY_STACKS=1x COWSPY_NET=perhaps)
for setting in "${bad[@]}"; do
	rm -f "$WORK"/report.*
	out=$(watched COWSPY_OUTPUT="$WORK/report.%p" "$setting" "$PROGRAMS/four_pages" \
		2>"$WORK/stderr")
	expect_equal "status with $setting" 0 $?
	expect_equal "output with $setting" "four pages: two copied" "$out"
	expect_equal "lines that name $setting" 1 "$(grep -c "${setting%=*}.*${setting#*=}" \
		"$WORK/stderr")"
	expect_equal "reports with $setting" 1 "$(reports_in "$WORK"/report.*)"
	expect_equal "copied file pages with $setting" 2 "$(report total file "$WORK"/report.*)"
done

good=(COWSPY_SIGNAL=USR2 COWSPY_SIGNAL=SIGUSR2 COWSPY_SIGNAL=none COWSPY_SCOPE=auto
	COWSPY_SCOPE=mmap COWSPY_SCOPE=all COWSPY_STACK_DEPTH=0 COWSPY_STACK_DEPTH=1
	COWSPY_STACK_DEPTH=128 COWSPY_PAGE_MAP=0 COWSPY_STACKS=0 COWSPY_NET=on COWSPY_NET=off
	COWSPY_OUTPUT=)
for setting in "${good[@]}"; do
	out=$(watched "$setting" "$PROGRAMS/four_pages" 2>"$WORK/stderr")
	expect_equal "status with $setting" 0 $?
	expect_equal "output with $setting" "four pages: two copied" "$out"
	expect_equal "reports with $setting" 1 "$(reports_in "$WORK/stderr")"
	report check "$WORK/stderr" || wrong "the report with $setting"
	expect_equal "complaints about $setting" 0 "$(grep -c "^cowspy: ${setting%=*}" "$WORK/stderr")"
done
