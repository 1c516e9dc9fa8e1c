#!/bin/bash
# cowspy snapshot: the report of this moment, complete; no signal to a process that would die of it.
. "$TOP/tests/lib.sh"
cowspy=$(dirname "$TEST_LIBRARY")/cowspy
head -c 4096 /dev/zero >"$WORK/libcowspy.so"
export PYTHONDONTWRITEBYTECODE=1

# start_stub HOW PATTERN [FILE]: its process id in $pid.
start_stub()
{
	end_stub
	: >"$WORK/pid"
	COWSPY_OUTPUT=$2 /usr/bin/python3 "$TOP/tests/programs/tool_snapshot_stub.py" "$1" \
		"${3:-$2}" >"$WORK/pid" 2>/dev/null &
	stub=$!
	until [ -s "$WORK/pid" ] || ! kill -0 $stub; do sleep 0.02; done
	pid=$(cat "$WORK/pid")
}

end_stub()
{
	[ -z "${stub:-}" ] || kill "$stub" "$pid" 2>/dev/null
	stub=
}

# check_snapshot WHAT STATUS WORD [OPTION ...]: and the process lives on.
check_snapshot()
{
	local what=$1 status=$2 word=$3
	shift 3
	"$cowspy" snapshot "$@" "$pid" >"$WORK/out" 2>"$WORK/err"
	expect_equal "$what: status" "$status" $?
	[ "$status" = 0 ] || expect_equal "$what: lines on stderr" 1 "$(wc -l <"$WORK/err")"
	grep -q -e "$word" "$WORK/out" "$WORK/err" ||
		wrong "$what: no '$word' in $(head -c 500 "$WORK/out" "$WORK/err")"
	kill -0 "$pid" 2>/dev/null || wrong "$what: the process is dead"
}

echo "an older text" >"$WORK/report"
start_stub answer "$WORK/report"
for n in 1 2; do
	check_snapshot "answer $n" 0 "^report $n ends"
	expect_equal "first line of snapshot $n" "report $n begins" "$(head -1 "$WORK/out")"
	expect_equal "size of snapshot $n" $((100000 + 31)) "$(wc -c <"$WORK/out")"
done

cd "$WORK" || exit 1
start_stub answer "relative.report"
cd / || exit 1
check_snapshot "a relative path" 0 "1 ends"
start_stub answer "$WORK/%h.%%.r" "$WORK/$(hostname).%.r"
check_snapshot "pattern with the host" 0 "1 ends"
start_stub answer "$WORK/taken" "$WORK/taken.1"
check_snapshot "a number behind the name" 0 "1 ends"
start_stub child "$WORK/family"
check_snapshot "a forked child" 0 "1 ends"

start_stub foreign "$WORK/none"
check_snapshot "without the library" 3 "does not run libcowspy.so"
start_stub deaf "$WORK/none"
check_snapshot "signal not caught" 3 "does not catch SIGUSR1: nothing was sent"
start_stub silent "$WORK/none"
check_snapshot "no report" 1 "no complete report in $WORK/none after 0.3 seconds" --timeout 0.3
start_stub blocked "$WORK/none"
check_snapshot "signal blocked" 1 "blocks the signal" --timeout 0.3
export COWSPY_SIGNAL=none
start_stub answer "$WORK/none"
check_snapshot "no signal" 3 "COWSPY_SIGNAL=none"
# The library refuses such signals and stays with its default; so must we.
for COWSPY_SIGNAL in SEGV SIGKILL 9 33 rubbish; do
	start_stub answer "$WORK/refused"
	check_snapshot "COWSPY_SIGNAL=$COWSPY_SIGNAL" 0 "report 1 ends"
done
unset COWSPY_SIGNAL
start_stub silent ""
check_snapshot "no file" 0 "writes its report to its standard error, /dev/null"
start_stub ends "$WORK/end"
"$cowspy" snapshot "$pid" >/dev/null 2>"$WORK/err"
expect_equal "status when the process ends meanwhile" 3 $?
end_stub

# With the library itself.
[ -s "$TEST_LIBRARY" ] || exit 0
env LD_PRELOAD="$TEST_LIBRARY" COWSPY_OUTPUT="$WORK/real.%p" /usr/bin/python3 -c '
import time
print("ready", flush=True)
time.sleep(60)
print("alive")' >"$WORK/ready" 2>/dev/null &
pid=$!
until grep -q ready "$WORK/ready" || ! kill -0 $pid; do sleep 0.05; done
check_snapshot "the library" 0 "^cowspy:"
expect_equal "reports printed" 1 "$(reports_in "$WORK/out")"
expect_equal "the same as in the file" "$(cat "$WORK/real.$pid")" "$(cat "$WORK/out")"
