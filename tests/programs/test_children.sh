#!/bin/bash
# Thousands of children: COWSPY_CHILDREN=totals keeps sums by command in one small file. A daemon
# that outlives its parents, processes of one pid told apart, files that are there already.
# timeout: 180
. "$TOP/tests/lib.sh"
cowspy=$(dirname "$TEST_LIBRARY")/cowspy
cd "$WORK" || exit 1

record()
{
	local folder=$1
	shift
	mkdir -p "$folder"
	watched COWSPY_OUTPUT="$WORK/$folder/%p" "$@" 2>/dev/null
	expect_equal "status" 0 $?
}

record totals COWSPY_CHILDREN=totals "$PROGRAMS/many_children" 1000
expect_equal "files" "3" "$(find totals -type f | wc -l)"
[ "$(stat -c %s totals/children.trace)" -lt 4096 ] || wrong "the sums are not small"
"$cowspy" report --json totals | /usr/bin/python3 -c '
import json, sys
report = json.load(sys.stdin)
rows = {row["command"]: row for row in report["children"]}
assert set(rows) == {"odd", "even", "true", "many_children", "the daemon"}, rows.keys()
def expect(command, **values):
    for name, value in values.items():
        assert rows[command][name] == value, (command, name, rows[command])
expect("odd", ended=500, executed=0)
expect("even", ended=400, executed=100)
expect("true", ended=100)
expect("many_children", ended=1)
expect("the daemon", ended=1)
for command, pages in (("odd", 4), ("even", 4)):
    row = rows[command]
    processes = row["ended"] + row["executed"]
    forked = row["attributed_kinds"]["fork"]
    # The last of those that share a page writes it in place: the lost chance.
    assert forked + row["reused_pages"] >= processes * pages, row
    assert row["copied_pages"] == row["attributed_pages"], row
    assert row["most_pages_in_one"] >= pages, row
assert rows["the daemon"]["attributed_kinds"]["fork"] >= 4, rows["the daemon"]
' || wrong "sums"
"$cowspy" report totals | grep -qE '^  odd +500 +0 ' || wrong "no line in the report"

echo "-- a second run adds to them and overwrites nothing"
record totals COWSPY_CHILDREN=totals "$PROGRAMS/many_children" 10
"$cowspy" report --json totals | grep -q '"command":"odd","ended":505,' || wrong "not added"

echo "-- nobody waits for a child that holds the lock"
/usr/bin/python3 -c '
import fcntl, signal
file = open("totals/children.trace", "r+b")
fcntl.lockf(file, fcntl.LOCK_EX)
open("locked", "x").close()
signal.pause()
' &
holder=$!
for _ in $(seq 500); do
	[ ! -e locked ] || break
	sleep 0.02
done
record totals COWSPY_CHILDREN=totals timeout 60 "$PROGRAMS/many_children" 4
kill $holder
"$cowspy" report --json totals | grep -q '"command":"odd","ended":507,' || wrong "lost"

echo "-- another file of that name is left alone"
mkdir taken
echo "not ours" >taken/children.trace
watched COWSPY_OUTPUT="$WORK/taken/%p" COWSPY_CHILDREN=totals "$PROGRAMS/many_children" 4 2>err
[ "$(cat taken/children.trace)" = "not ours" ] || wrong "overwritten"
grep -q 'no sums of children are kept in .*another file is there' err || wrong "not told"

echo "-- children that give up root's rights"
record rights COWSPY_CHILDREN=totals /usr/bin/python3 -c '
import os
def drop():
    if os.getuid() == 0:
        os.chroot("/")
        os.setgroups([])
        os.setgid(65534)
        os.setuid(65534)
for _ in range(3):
    if not (child := os.fork()):
        drop()
        if not os.fork():
            os.closerange(3, 2000)
            os._exit(len([str(i) for i in range(10000)]) != 10000)
        os._exit(os.waitstatus_to_exitcode(os.wait()[1]))
    assert os.waitpid(child, 0)[1] == 0
drop()
if not (child := os.fork()):
    os._exit(0)
assert os.waitpid(child, 0)[1] == 0
'
"$cowspy" report --json rights | grep -q '"command":"python3","ended":7,' || wrong "lost with the rights"

echo "-- all of them"
record all "$PROGRAMS/many_children" 40
"$cowspy" report --json --limit 0 all | /usr/bin/python3 -c '
import json, sys
report = json.load(sys.stdin)
assert "children" not in report
by_pid = {process["pid"]: process for process in report["processes"]}
daemon, = [process for process in report["processes"]
           if process["parent"] in by_pid and by_pid[process["parent"]]["parent"] in by_pid]
assert daemon["origin"] == by_pid[daemon["parent"]]["origin"] == "fork"
assert daemon["kinds"]["fork"] >= 6, daemon
assert len(report["forks"]) >= 42, len(report["forks"])
' || wrong "the daemon"
exit 0
