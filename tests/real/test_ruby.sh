#!/bin/bash
# ruby: a forked child reads objects, collects garbage, or compacts; then puma with a preloaded
# application under load. Same answers and ends as without the library; report and kernel agree.
# timeout: 300
. "$TOP/tests/real/servers.sh"
. "$TOP/tests/real/proof.sh"
proof_begin
{ [ -x /usr/bin/ruby ] && [ -x /usr/bin/puma ]; } || skip "ruby and puma are not installed"

objects=100000
requests=200

# fork_in_script WORK: what it prints but process ids goes to $folder/WORK.
fork_in_script()
{
	local parent child found
	mkfifo "$folder/in" "$folder/out"
	env "${environment[@]}" /usr/bin/ruby "$TOP/tests/real/objects.rb" "$1" $objects \
		<"$folder/in" >"$folder/out" 2>"$folder/errors" &
	parent=$!
	exec 9>"$folder/in" 7<"$folder/out"
	proof_fork $parent before || return
	read -r -u 7 child found
	if [ $mode = watched ]; then
		prove "ruby, $1: child" "$child" before
		prove "ruby, $1: parent" $parent before
	fi
	exec 9>&-
	{ echo "$found"; cat <&7; } >"$folder/$1"
	exec 7<&-
	wait $parent
	echo "status $?" >>"$folder/$1"
	cat "$folder/errors" >>"$folder/$1"
	rm "$folder"/in "$folder"/out
}

worker_works()
{
	grep -q 'Worker 0 (PID: .*) booted' "$folder/log"
}

serve()
{
	env "${environment[@]}" FOLDER="$folder" /usr/bin/puma -C "$TOP/tests/real/puma_config.rb" \
		>"$folder/log" 2>&1 &
	server=$!
	proof_fork $server before || return
	wait_until worker_works || return
	/usr/bin/python3 "$TOP/tests/real/load.py" "$folder/socket" $requests >"$folder/answers"
	worker=$(sed -nE 's/.*Worker 0 \(PID: ([0-9]+)\) booted.*/\1/p' "$folder/log")
	if [ $mode = watched ]; then
		prove "puma's worker" "$worker" before
		prove "puma" $server before
	fi
	stop TERM $server >"$folder/end"
	grep -ci -e error -e warn "$folder/log" >>"$folder/end"
}

for mode in plain watched; do
	use $mode
	reports=$folder/reports/
	for work in read collect compact; do
		fork_in_script $work
	done
	serve
done
expect_equal "answers" $requests "$(grep -c ' 200 ' "$WORK/plain/answers")"
for result in read collect compact answers end; do
	diff "$WORK/plain/$result" "$WORK/watched/$result" >"$WORK/diff" ||
		wrong "$result: $(head -5 "$WORK/diff")"
done
[ "$failures" = 0 ] || tail -20 "$WORK/watched/log"
