#!/bin/bash
# Killed at any moment, a process leaves a trace with every first write that had happened: four
# threads note in shared memory what they have written.
# timeout: 300
. "$TOP/tests/lib.sh"

RANDOM=$((0x$(sha1sum <<<"$WORK" | cut -c1-4)))
written=0
rounds=20
[ -z "$TEST_SLOW" ] || rounds=100
for round in $(seq "$rounds"); do
	folder=$WORK/$round
	mkdir "$folder"
	env LD_PRELOAD="$TEST_LIBRARY" COWSPY_OUTPUT="$folder/%p" "$PROGRAMS/trace_writers" 1000000 4 "$folder/shadow" \
		>/dev/null 2>&1 &
	pid=$!
	sleep "0.$(printf '%03d' $((50 + RANDOM % 700)))"
	kill -KILL $pid
	wait $pid 2>/dev/null
	expect_equal "status in round $round" 137 $?
	result=$(/usr/bin/python3 "$TOP/tests/programs/trace_dump.py" shadow "$folder/$pid.trace" \
		"$folder/shadow") || wrong "round $round: $result"
	written=$((written + ${result%% *}))
	rm -rf "$folder"
done
[ $written -gt 100000 ] || wrong "only $written writes in all rounds"
echo "$written writes, all of them recorded"
