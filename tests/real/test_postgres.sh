#!/bin/bash
# PostgreSQL, one process for each connection: a cluster with checksums, pgbench with a fixed seed,
# parallel and compiled queries, sorts on disk, cancelled statements, recovery after a crash. Rows,
# checksums and logs must be those of a server without the library.
# timeout: 240
. "$TOP/tests/real/servers.sh"

bin=$(ls -d /usr/lib/postgresql/*/bin 2>/dev/null | tail -1)
[ -n "$bin" ] || skip "postgresql is not installed"
[ "$(id -u)" != 0 ] || id postgres >/dev/null 2>&1 || skip "there is no user postgres"
export PGUSER=postgres PGDATABASE=postgres PGPORT=5432 LC_ALL=C TZ=UTC
become postgres
transactions=200
[ -z "$TEST_SLOW" ] || transactions=2000

start()
{
	"${as[@]}" env "${environment[@]}" "$bin/postgres" -D "$folder/data" -k "$folder" \
		-c listen_addresses= -c shared_buffers=16MB -c fsync=off -c log_checkpoints=off \
		-c log_line_prefix= >>"$folder/log" 2>&1 &
	server=$!
	wait_until "$bin/pg_isready" -q
}

query()
{
	"$bin/psql" -XAt -v VERBOSITY=terse "$@" 2>&1
}

# connected COUNT: are as many of its clients there?
connected()
{
	[ "$(query -c "SELECT count(*) FROM pg_stat_activity
		WHERE application_name = 'pgbench'")" = "$1" ]
}

rows()
{
	query -c "SELECT count(*), sum(abalance), md5(string_agg(a::text, ',' ORDER BY aid))
			FROM pgbench_accounts a" \
		-c "SELECT count(*), sum(delta), sum(aid) FROM pgbench_history"
}

hard_queries()
{
	query <<-'SQL'
		SET max_parallel_workers_per_gather = 2; SET min_parallel_table_scan_size = 0;
		SET parallel_setup_cost = 0; SET parallel_tuple_cost = 0;
		SELECT count(*), sum(hashtext(filler)), max(length(a::text)) FROM pgbench_accounts a;
		SET work_mem = '64kB'; SET max_parallel_workers_per_gather = 0;
		SELECT md5(string_agg(k, '')) FROM (SELECT md5(aid::text) k FROM pgbench_accounts ORDER BY 1) s;
		SET jit = on; SET jit_above_cost = 0;
		SELECT sum(aid * 2.5 + bid), avg(length(filler)) FROM pgbench_accounts WHERE aid % 7 = 0;
		SET statement_timeout = '200ms';
		SELECT pg_sleep(10);
		RESET statement_timeout;
		CREATE TABLE copied AS SELECT i, repeat(i::text, 500) t FROM generate_series(1, 3000) i;
		VACUUM FULL ANALYZE copied;
		SELECT sum(length(t)) FROM copied;
		LISTEN news; NOTIFY news, 'read';
		DO $$ BEGIN PERFORM 1 / 0; EXCEPTION WHEN division_by_zero THEN RAISE NOTICE 'caught'; END $$;
		SELECT 1 / 0;
	SQL
}

run()
{
	"${as[@]}" env "${environment[@]}" "$bin/initdb" -k -A trust -U postgres --locale=C \
		-D "$folder/data" >"$folder/initdb" 2>&1
	echo "initdb ended with status $?"
	start
	note_births "$server"
	"$bin/pgbench" -q -i -s 1 >/dev/null 2>&1
	echo "pgbench -i ended with status $?"
	"$bin/pgbench" -n --random-seed=7 -c 4 -j 2 -t $transactions -R 400 >"$folder/pgbench" 2>&1 &
	load=$!
	wait_until connected 4
	sleep 0.2
	look_at $server >"$folder/look"
	wait $load
	echo "pgbench ended with status $?"
	grep -E 'actually processed|failed|error' "$folder/pgbench"
	"$bin/pgbench" -n --random-seed=7 -c 4 -S -C -t 20 >/dev/null 2>&1
	echo "pgbench -C ended with status $?"
	rows
	hard_queries | sed 's/PID [0-9]*/PID/'
	stop QUIT $server
	rm -f "$folder/data/postmaster.pid"
	start
	rows
	"$bin/pg_amcheck" --install-missing --heapallindexed postgres 2>&1
	echo "pg_amcheck ended with status $?"
	stop INT $server
	"${as[@]}" "$bin/pg_checksums" --check -D "$folder/data" | grep -E 'Bad|version'
}

for mode in plain watched; do
	use $mode
	[ "$(id -u)" != 0 ] || chown postgres "$folder"
	export PGHOST=$folder
	run >"$folder/results" 2>&1
done
! grep -qs 'No space left on device' "$WORK"/*/log "$WORK"/*/pgbench "$WORK"/*/initdb ||
	skip "the disk was full meanwhile"
filter='s/[0-9]+ms/TIME/; s/shut down at .*//; s@[0-9A-F]+/[0-9A-F]+@POSITION@g; s/(PID|pid|expected|interrupted).*//;
	s/redo done.*/redo done/'
compare_modes initdb results
# Processes say what they do in no fixed order; pg_isready asks before the server is; a backend whose
# client has just left may still be there when the server stops.
for mode in plain watched; do
	grep -vE 'FATAL:  (the database system is|terminating connection due to admin)|Broken pipe' \
		"$WORK/$mode/log" | sort -u >"$WORK/$mode/sorted"
done
compare_modes sorted
[ "$failures" = 0 ] || tail -20 "$WORK/watched/log"
cat "$WORK/watched/look"
check_reports 20 OPENSSL_cleanup dlopen PostgresMain
