#!/bin/bash
# cowspy report, export and diff on recordings of python3: sums agree everywhere; damage, hostile
# names, growing traces.
# timeout: 180
. "$TOP/tests/lib.sh"
cowspy=$(dirname "$TEST_LIBRARY")/cowspy
victim=("/usr/bin/python3" "$TOP/tests/programs/tool_report_victim.py")
cd "$WORK" || exit 1

record()
{
	local folder=$1
	shift
	mkdir "$folder"
	watched COWSPY_OUTPUT="$WORK/$folder/%p" "${victim[@]}" "$@" 2>/dev/null
	expect_equal "status of the recorded program" 0 $?
}

first_writes()
{
	/usr/bin/python3 "$TOP/tests/programs/trace_dump.py" count "$1"/*.trace |
		sed -n 's/^first_write //p'
}

# status_of STATUS ARGUMENT ...: standard output and error in files.
status_of()
{
	local status=$1
	shift
	"$cowspy" "$@" >out 2>err
	expect_equal "status of 'cowspy $*'" "$status" $?
}

record before 10
record after 90
/usr/bin/python3 "$TOP/tests/programs/tool_report_judge.py" "$cowspy" before \
	"$(first_writes before)" "$TOP/tools" || wrong "report or export"

echo "-- diff"
status_of 0 diff before before
expect_equal "growth of nothing" "total 0 B +0.0 %" "$(tail -1 out | tr -s ' ')"
status_of 0 diff before after
tail -1 out | grep -q '^total .*+.*MiB .*+[0-9.]* %$' || wrong "no growth: $(tail -1 out)"
status_of 1 diff --fail-above 5% before after
status_of 0 diff --fail-above 100000% before after
status_of 0 diff --fail-above 5% after before
status_of 0 diff --json before after
/usr/bin/python3 -c '
import json, sys
diff = json.load(sys.stdin)
for rows in diff["functions"], diff["stacks"]:
    grown = [row["after_bytes"] - row["before_bytes"] for row in rows]
    assert grown == sorted(grown, reverse=True) and grown[0] > 0
assert diff["counted"] == "copies" and diff["growth_percent"] > 5
' <out || wrong "diff --json"

echo "-- a trace that grows"
coproc victim_out { record growing 50 wait; }
read -r -u "${victim_out[0]}" _
traces=(growing/*.trace)
pid=$(basename "$(ls -S "${traces[@]}" | head -1)" .trace)
status_of 0 report "$pid"
grep -q "running or killed" out || wrong "a running process is not told"
eval "exec ${victim_out[1]}>&-"
wait

echo "-- the newest folder"
mkdir empty cowspy.old.1 cowspy.new.2
cp before/*.trace cowspy.old.1
cp after/*.trace cowspy.new.2
touch -d '1 hour ago' cowspy.old.1
status_of 0 report
cp out newest
status_of 0 report cowspy.new.2
cmp -s out newest || wrong "the newest folder was not taken"

echo "-- damage"
mkdir damaged
trace=$(ls -S after/*.trace | head -1)
size=$(stat -c %s "$trace")
head -c $((size / 2 + 3)) "$trace" >damaged/cut
status_of 4 report damaged
grep -q "damaged: cut at offset [0-9]*: " out || wrong "the offset is not named"
grep -q "^first writes [1-9]" out || wrong "what is intact is not shown"
status_of 4 export --format csv --output damaged.csv damaged
[ "$(wc -l <damaged.csv)" -gt 1000 ] || wrong "what is intact was not exported"
status_of 4 diff damaged damaged
echo "no trace" >damaged/text
status_of 4 report damaged
status_of 3 report damaged/text
expect_equal "lines about no trace" 1 "$(wc -l <err)"
status_of 3 report empty
status_of 3 report nothing
status_of 3 diff before nothing
status_of 3 report /dev/zero
status_of 3 report $$
{ printf 'COWTRACE\377'; cat "$trace"; } >damaged/newer
status_of 3 report damaged/newer
grep -q "newer version" err || wrong "a newer version is not told"

echo "-- hostile names"
"$(dirname "$TEST_LIBRARY")/fuzz/make_corpus" "$WORK/empty" || wrong "make_corpus"
for by in stack function module mapping object process time label slice; do
	status_of 0 report --by $by empty/writes
	cat out >>shown
done
status_of 0 report --pages --callers empty/writes
cat out >>shown
for format in folded speedscope json csv openmetrics; do
	status_of 0 export --format $format empty/writes
	cat out >>shown
done
grep -q 'first' shown || wrong "nothing is shown of hostile names"
tr -d '\n\r\t\040-\176' <shown | grep -q . && wrong "control characters came through"

echo "-- nothing to show"
mkdir idle
watched COWSPY_OUTPUT="$WORK/idle/%p" /bin/true
status_of 0 report idle
head -2 out | grep -q 'true (pid [0-9]*): no first write was recorded' || wrong "$(head -2 out)"
sed -n 2p out | grep -q 'cowspy record --scope all' || wrong "no next step: $(head -2 out)"
status_of 0 report --kind unknown before
head -1 out | grep -q 'no first write is of what was asked for' || wrong "a filter: $(head -1 out)"
sed -n 2p out | grep -q scope && wrong "a next step that does not help: $(head -2 out)"
for format in folded speedscope json csv openmetrics pprof; do
	status_of 0 export --format $format --output idle.$format idle
done
expect_equal "lines of nothing" 0 "$(wc -l <idle.folded)"
mkdir truth
watched COWSPY_MODE=truth COWSPY_OUTPUT="$WORK/truth/%p" /usr/bin/python3 -c '
import mmap
memory = mmap.mmap(-1, 8192, flags=mmap.MAP_PRIVATE)
memory[0] = 1'
status_of 0 report truth
sed -n 2p out | grep -q scope && wrong "a next step that does not help: $(head -2 out)"

echo "-- processes by number"
status_of 3 report 4194304
grep -q 'no process 4194304' err || wrong "$(cat err)"
status_of 3 report $$
grep -q "writes no trace: .*'cowspy record'" err || wrong "$(cat err)"
status_of 3 report $'x\e[2J'
grep -q 'x.x1b.2J: No such file' err || wrong "an escape on the terminal: $(cat err)"

echo "-- use"
status_of 2 report --by nothing before
status_of 2 report --kind nothing before
status_of 2 report --limit x before
status_of 2 report before after
status_of 2 export before
status_of 2 export --format nothing before
status_of 2 export --format folded --unit nothing before
status_of 2 diff before
status_of 2 diff --fail-above x before after
status_of 1 export --format json --output /nonexistent/x before
"$cowspy" report before >/dev/full 2>err
expect_equal "status when the output is full" 1 $?
"$cowspy" export --format csv before >/dev/full 2>err
expect_equal "status when the exported file is full" 1 $?
status_of 0 export --format pprof --output cow.pb.gz before
[ ! -e cow.pb.gz.part ] && gzip -t cow.pb.gz || wrong "the output file"
for verb in report export diff html record doctor; do
	status_of 0 $verb --help
	grep -q "^example: cowspy $verb" out || wrong "no example of $verb"
	for option in $(grep -o -e '--[a-z-]*' out | sort -u); do
		grep -q -e "${option//-/\\\\-}" "$TOP/tools/man/cowspy-$verb.1" ||
			wrong "cowspy-$verb.1 does not name $option"
	done
	[ -z "$(command -v man)" ] || man -l "$TOP/tools/man/cowspy-$verb.1" >/dev/null 2>&1 ||
		wrong "man page of $verb"
done
