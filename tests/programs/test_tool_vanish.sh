#!/bin/bash
# Processes that end or remap while cowspy reads them: what was read, marked, never a crash.
. "$TOP/tests/lib.sh"
cowspy=$(dirname "$TEST_LIBRARY")/cowspy

# One that maps, unmaps and copies all the time.
/usr/bin/python3 -c '
import mmap
while True:
    kept = []
    for n in range(1, 40):
        kept.append(mmap.mmap(-1, n * 65536, flags=mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS))
        kept[-1].write(b"x" * (n * 65536))
' &
restless=$!
disown $restless
sleep 0.3
changed=0
for _ in $(seq 20); do
	"$cowspy" pages --json $restless >"$WORK/json" 2>"$WORK/err"
	expect_equal "status for a restless process" 0 $?
	/usr/bin/python3 -m json.tool "$WORK/json" >/dev/null || wrong "JSON"
	grep -q '"mappings_changed":0' "$WORK/json" || changed=$((changed + 1))
	"$cowspy" compare --json $restless $$ >"$WORK/json" 2>"$WORK/err"
	expect_equal "status of compare with it" 0 $?
done
echo "looks at which a mapping had changed: $changed of 20"
kill $restless

# Many that end at some moment of the reading, which takes a while with this much memory.
statuses=
for i in $(seq 40); do
	/usr/bin/python3 -c '
import signal
memory = bytearray(200000000)
print("ready", flush=True)
signal.pause()' >"$WORK/ready" &
	victim=$!
	disown $victim
	until grep -q ready "$WORK/ready"; do sleep 0.01; done
	(sleep "0.0$(printf %02d "$i")"; kill -9 $victim) &
	"$cowspy" pages $victim >"$WORK/out" 2>"$WORK/err"
	status=$?
	wait $!
	[ $status = 0 ] || [ $status = 3 ] || wrong "status $status: $(cat "$WORK/err")"
	[ $status = 0 ] || grep -q -e 'no process' -e 'process ended' -e 'may not be read' \
		"$WORK/out" "$WORK/err" || wrong "status 3 without a reason"
	statuses="$statuses $status$(grep -q 'is incomplete' "$WORK/out" && echo " incomplete")"
done
echo "statuses:$statuses"

# A zombie.
sh -c 'exec 3>&1; sleep 0.01 & echo $!; exec sleep 5' >"$WORK/pid" 2>&1 &
parent=$!
sleep 0.3
"$cowspy" pages "$(cat "$WORK/pid")" >/dev/null 2>"$WORK/err"
expect_equal "status for a zombie" 3 $?
kill $parent

# Its main thread has ended, another runs on: the memory is still there.
/usr/bin/python3 -c '
import ctypes, threading, time
threading.Thread(target=lambda: (print("ready", flush=True), time.sleep(20))).start()
ctypes.CDLL(None).pthread_exit(0)' >"$WORK/ready" &
victim=$!
until grep -q ready "$WORK/ready" && grep -q '^State:.Z' /proc/$victim/status; do sleep 0.01; done
"$cowspy" pages $victim >"$WORK/out" 2>"$WORK/err"
expect_equal "status without a main thread" 0 $?
grep -q '^   C .*copied' "$WORK/out" || wrong "no pages without a main thread"
kill -9 $victim
