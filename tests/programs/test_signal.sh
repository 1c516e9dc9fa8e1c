#!/bin/bash
# The snapshot signal: a report now, and for the program all is as before.
. "$TOP/tests/lib.sh"

# check_signal COWSPY_SIGNAL HOW SIGNAL STATUS REPORTS
check_signal()
{
	local setting=$1 how=$2 signal=$3 status=$4 reports=$5 out folder
	folder=$(mktemp -d "$WORK/XXXXXX")
	out=$(watched COWSPY_OUTPUT="$folder/report.%p" COWSPY_SIGNAL="$setting" \
		"$PROGRAMS/snapshot_signal" "$how" "$signal" 2>"$folder/stderr")
	expect_equal "$setting: status of '$how' $signal" "$status" $?
	[ "$status" != 0 ] || expect_equal "$setting: output of '$how' $signal" "$how
alive" "$out"
	expect_equal "$setting: reports of '$how' $signal" "$reports" \
		"$(reports_in "$folder"/report.*)"
}

died_by_usr1=$((128 + 10))
died_by_usr2=$((128 + 12))
for signal in USR1 USR2; do
	check_signal $signal default $signal 0 2
	check_signal $signal handler $signal 0 2
	check_signal $signal blocked $signal 0 2
	check_signal $signal "waited for" $signal 0 1
	check_signal $signal ignored $signal 0 2 # the program ignores it, not we
done
check_signal none default USR1 $died_by_usr1 0
check_signal none handler USR1 0 1
check_signal USR2 default USR1 $died_by_usr1 0
check_signal USR1 default USR2 $died_by_usr2 0

# From outside, at a program that waits; it runs on.
mkfifo "$WORK/fifo"
env LD_PRELOAD="$TEST_LIBRARY" COWSPY_OUTPUT="$WORK/outside.%p" /usr/bin/python3 -c '
import sys
print("ready", flush=True)
sys.stdin.readline()
print("done")' <"$WORK/fifo" >"$WORK/outside.out" 2>/dev/null &
pid=$!
exec 9>"$WORK/fifo"
until grep -q ready "$WORK/outside.out" || ! kill -0 $pid; do sleep 0.05; done
kill -USR1 $pid
sleep 0.3
echo go >&9
wait $pid
expect_equal "status of a program that got the signal from outside" 0 $?
expect_equal "its output" "ready
done" "$(cat "$WORK/outside.out")"
expect_equal "its reports" 2 "$(reports_in "$WORK"/outside.[0-9]*)"
