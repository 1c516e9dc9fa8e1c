#!/bin/bash
# 8 threads writing, one forking, one taking snapshots, one mapping: no event is lost, none is there
# twice, in the children neither. 1,000 forks in the slow form.
# timeout: 300
. "$TOP/tests/lib.sh"

forks=60
[ -z "${TEST_SLOW:-}" ] || forks=1000
expected="$forks forks, 0 values out of place"
expect_equal "plain" "$expected" "$(COWSPY_SIGNAL=none "$PROGRAMS/stress_events" $forks "$WORK/plain")"
expect_equal "watched" "$expected" "$(watched COWSPY_QUIET=on COWSPY_OUTPUT="$WORK/report.%p" \
	"$PROGRAMS/stress_events" $forks "$WORK/shadow")"
expect_equal "traces" $((forks + 1)) "$(find "$WORK" -name '*.trace' | wc -l)"
/usr/bin/python3 "$TOP/tests/programs/stress_events_judge.py" "$WORK/shadow" "$WORK"/*.trace ||
	wrong "the traces"
