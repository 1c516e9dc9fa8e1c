#!/bin/bash
# cowspy pages from outside, as root and as an ordinary user: letters, sums of smaps, frame flags.
. "$TOP/tests/lib.sh"

chmod 755 "$WORK"
cp "$(dirname "$TEST_LIBRARY")/cowspy" "$TOP"/tests/programs/tool_*.py "$WORK"
cowspy=$WORK/cowspy
export PYTHONDONTWRITEBYTECODE=1

# start_victim [COMMAND]: its words in $victim; its standard input is file 9, its output file 7.
start_victim()
{
	head -c 16384 /dev/zero | tr '\0' a >"$WORK/file"
	exec 8<"$WORK/file"
	rm -f "$WORK/in" "$WORK/out"
	mkfifo "$WORK/in" "$WORK/out"
	"$@" /usr/bin/python3 "$WORK/tool_pages_victim.py" 8 <"$WORK/in" >"$WORK/out" &
	victim_job=$!
	exec 9>"$WORK/in" 7<"$WORK/out"
	read -r -a victim <&7
}

end_victim()
{
	echo -n q >&9
	exec 9>&- 7<&-
	wait $victim_job
}

# judge [COMMAND]: as which user to look.
judge()
{
	"$@" /usr/bin/python3 "$WORK/tool_pages_judge.py" "$cowspy" "${victim[@]}" \
		"$(stat -f -c %T "$WORK")" || wrong "pages: $*"
}

start_victim
echo "-- as user $(id -u)"
judge
echo "-- watched while pages are written"
"$cowspy" pages --json --watch 0.5 --count 3 "${victim[0]}" >"$WORK/watch" &
watcher=$!
sleep 0.2
echo -n w >&9; read -r -u 7 _
sleep 0.5
echo -n ww >&9; read -r -u 7 _
wait $watcher
expect_equal "status of watching" 0 $?
/usr/bin/python3 -c '
import json, sys
counts = [json.loads(line)["pages"]["copied"] for line in open(sys.argv[1])]
print("copied pages seen:", counts)
assert len(counts) == 3 and counts[1] >= counts[0] + 1 and counts[2] >= counts[1] + 2, counts
' "$WORK/watch" || wrong "watching"
"$cowspy" pages --watch 0.2 "${victim[0]}" >"$WORK/watch" 2>&1 &
watcher=$!
sleep 0.3
echo -n w >&9; read -r -u 7 _
sleep 0.3
end_victim
wait $watcher
expect_equal "status of watching a process to its end" 0 $?
grep -q "^after .*C +" "$WORK/watch" || wrong "no change shown: $(tail -5 "$WORK/watch")"
grep -q "has ended" "$WORK/watch" || wrong "the end is not told"

if [ "$(id -u)" = 0 ]; then
	user=(setpriv --reuid=65534 --regid=65534 --clear-groups --inh-caps=-all)
	start_victim "${user[@]}"
	echo "-- as user 65534"
	judge "${user[@]}"
	end_victim
	"${user[@]}" "$cowspy" pages $$ 2>"$WORK/err"
	expect_equal "status for a process of another user" 3 $?
	grep -q CAP_SYS_PTRACE "$WORK/err" || wrong "the capability is not named: $(cat "$WORK/err")"
fi
