#!/bin/bash
# Whatever happens to the trace, the program runs as it would have, and what is there can be read.
# timeout: 120
. "$TOP/tests/lib.sh"

trace()
{
	/usr/bin/python3 "$TOP/tests/programs/trace_dump.py" "$@"
}

count()
{
	local kind=$1
	shift
	trace count "$@" | sed -n "s/^$kind //p" | grep . || echo 0
}

lines_with()
{
	grep -c -e "$1" "$2"
}

# run FOLDER [NAME=VALUE ...]: 30,000 pages, 2 threads; output and status as ever.
run()
{
	local folder=$1 out
	shift
	out=$(watched COWSPY_OUTPUT="$folder/%p" "$@" "$PROGRAMS/trace_writers" 30000 2 \
		"$WORK/shadow" 2>"$WORK/stderr")
	expect_equal "status in $folder" 0 $?
	expect_equal "output in $folder" "wrote 30000 pages" "$out"
}

# --- undisturbed
mkdir "$WORK/plain"
run "$WORK/plain"
file=$(echo "$WORK"/plain/*.trace)
trace shadow "$file" "$WORK/shadow" >/dev/null || wrong "the undisturbed trace"
expect_equal "closing records" 1 "$(count close "$file")"
expect_equal "snapshots" 1 "$(count snapshot_end "$file")"
expect_equal "mode" 600 "$(stat -c %a "$file")"
[ "$(stat -c %s "$file")" -lt $((30000 * 56 + 200000)) ] || wrong "the file was not trimmed"

# --- a limit of file sizes: no SIGXFSZ reaches the program
mkdir "$WORK/limit"
(
	ulimit -f 512
	run "$WORK/limit"
	[ "${failures:-0}" = 0 ]
) || wrong "under a limit of file sizes"
file=$(echo "$WORK"/limit/*.trace)
expect_equal "marks under a limit" 1 "$(count lost "$file")"
expect_equal "lines under a limit" 1 "$(lines_with 'recording stopped.*limit' "$WORK/stderr")"
[ "$(count first_write "$file")" -gt 5000 ] || wrong "too little is kept under a limit"

# --- the folder goes away, and the descriptor with it
mkdir "$WORK/deleted"
watched COWSPY_OUTPUT="$WORK/deleted/%p" bash -c '
	rm -rf "$0"
	exec 1>&1
	"$1" 30000 2 "$2"' "$WORK/deleted" "$PROGRAMS/trace_writers" "$WORK/shadow" \
	>"$WORK/out" 2>"$WORK/stderr"
expect_equal "status in a deleted folder" 0 $?
expect_equal "output in a deleted folder" "wrote 30000 pages" "$(cat "$WORK/out")"

# --- a folder that cannot be written to (root may write anywhere)
for folder in /proc /sys "$WORK/nowhere"; do
	run "$folder"
	expect_equal "lines for $folder" 1 "$(lines_with '^cowspy: cannot write' "$WORK/stderr")"
done

# --- the file is cut short under the writer
mkdir "$WORK/cut"
env LD_PRELOAD="$TEST_LIBRARY" COWSPY_OUTPUT="$WORK/cut/%p" "$PROGRAMS/trace_writers" 400000 2 "$WORK/shadow" \
	>"$WORK/out" 2>"$WORK/stderr" &
pid=$!
while [ ! -s "$WORK/cut/$pid.trace" ]; do sleep 0.02; done
sleep 0.1
: >"$WORK/cut/$pid.trace"
wait $pid
expect_equal "status with a cut file" 0 $?
expect_equal "output with a cut file" "wrote 400000 pages" "$(cat "$WORK/out")"
expect_equal "lines with a cut file" 1 "$(lines_with 'recording stopped' "$WORK/stderr")"

# --- many children, each with a file of its own; those that write nothing have none
mkdir "$WORK/children"
watched COWSPY_OUTPUT="$WORK/children/%p" /usr/bin/python3 -c '
import os, mmap
memory = mmap.mmap(-1, 1 << 16, flags=mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS)
memory[0] = 1
for n in range(300):
    if os.fork() == 0:
        memory[0] = 2
        os._exit(0)
    os.wait()' 2>/dev/null
expect_equal "status with 300 children" 0 $?
expect_equal "files of 300 children" 301 "$(find "$WORK/children" -name '*.trace' | wc -l)"
expect_equal "forks of 300 children" 300 "$(count fork "$WORK"/children/*.trace)"
expect_equal "damaged files" 0 "$(count damage "$WORK"/children/*.trace)"
expect_equal "open files" 0 "$(trace tree "$WORK"/children/*.trace | grep -vc 'exit$')"

# --- exec upon exec in one process
mkdir "$WORK/chain"
watched COWSPY_OUTPUT="$WORK/chain/%p" sh -c 'exec sh -c "exec sh -c \"exec /bin/true\""' \
	2>/dev/null
expect_equal "status of a chain" 0 $?
expect_equal "files of a chain" 4 "$(find "$WORK/chain" -name '*.trace' | wc -l)"
expect_equal "ends of a chain" "3 exec 1 exit" \
	"$(trace tree "$WORK"/chain/*.trace | awk '{n[$4]++} END {print n["exec"] " exec " n["exit"] " exit"}')"

# --- a full disk
mkdir "$WORK/full"
mount -t tmpfs -o size=1m tmpfs "$WORK/full" 2>/dev/null ||
	{ [ $failures = 0 ] && skip "all but the full disk: only root may mount one"; exit 1; }
trap 'umount "$WORK/full"; finish' EXIT
run "$WORK/full"
file=$(echo "$WORK"/full/*.trace)
expect_equal "marks on a full disk" 1 "$(count lost "$file")"
expect_equal "lines on a full disk" 1 "$(lines_with 'recording stopped.*no space' "$WORK/stderr")"
kept=$(count first_write "$file")
[ "$kept" -gt 5000 ] || wrong "only $kept are kept on a full disk"
