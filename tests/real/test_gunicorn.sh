#!/bin/bash
# gunicorn --preload with two workers: the same answers, log and end as without the library; report
# and kernel agree in both workers and in their parent.
# timeout: 300
. "$TOP/tests/real/servers.sh"
. "$TOP/tests/real/proof.sh"
proof_begin
[ -x /usr/bin/gunicorn ] || skip "gunicorn is not installed"

requests=200

# In the order of their forks.
workers()
{
	sed -n 's/.*Booting worker with pid: //p' "$folder/log"
}

both_work()
{
	[ "$(workers | wc -l)" = 2 ]
}

serve()
{
	env "${environment[@]}" FOLDER="$folder" PYTHONDONTWRITEBYTECODE=1 /usr/bin/python3 \
		/usr/bin/gunicorn -c "$TOP/tests/real/gunicorn_app.py" --chdir "$TOP/tests/real" \
		gunicorn_app:application >"$folder/log" 2>&1 &
	server=$!
	for worker in 1 2; do
		proof_fork $server "$mode.before.$worker" || return
	done
	wait_until both_work || return
	/usr/bin/python3 "$TOP/tests/real/load.py" "$folder/socket" $requests >"$folder/answers"
	sort "$folder/access" >"$folder/log.sorted"
}

prove_watched()
{
	local number=1 worker
	for worker in $(workers); do
		prove "worker $worker" "$worker" watched.before.$number
		number=$((number + 1))
	done
	prove "parent" $server watched.before.2 watched.before.1
}

for mode in plain watched; do
	use $mode
	reports=$folder/reports/
	serve
	[ $mode = plain ] || prove_watched
	stop TERM $server >"$folder/end"
	grep -ci error "$folder/log" >>"$folder/end"
done
expect_equal "answers" $requests "$(grep -c ' 200 ' "$WORK/plain/answers")"
for result in answers log.sorted end; do
	diff "$WORK/plain/$result" "$WORK/watched/$result" >"$WORK/diff" ||
		wrong "$result: $(head -5 "$WORK/diff")"
done
[ "$failures" = 0 ] || tail -20 "$WORK/watched/log"
