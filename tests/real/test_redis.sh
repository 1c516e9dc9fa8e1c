#!/bin/bash
# redis-server: known data loaded, changed while BGSAVE's child saves it, then a benchmark. The
# data in memory and in the saved file must be what a server without the library has.
# timeout: 180
. "$TOP/tests/lib.sh"

KEYS=20000
port=$(/usr/bin/python3 -c 'import socket
with socket.socket() as s:
    s.bind(("127.0.0.1", 0))
    print(s.getsockname()[1])')
cli=(redis-cli -p "$port")

load()
{
	seq $KEYS | awk -v text="$1" '{ print "SET key:" $1 " " text $1 text text text text text }'
}

# wait_for TEXT COMMAND ...: until the server answers the command with that text.
wait_for()
{
	local text=$1
	shift
	for _ in $(seq 200); do
		! "${cli[@]}" "$@" 2>/dev/null | grep -q "$text" || return 0
		sleep 0.05
	done
	wrong "redis: no '$text' from $*"
}

start()
{
	env "$@" redis-server --bind 127.0.0.1 --port "$port" --save '' --dir "$folder" \
		--rdb-key-save-delay 25 --enable-debug-command yes >>"$folder/log" 2>&1 &
	server=$!
	wait_for PONG ping
}

stop()
{
	"${cli[@]}" shutdown nosave 2>/dev/null
	wait $server
	echo "server ended with status $?"
}

run()
{
	load before | "${cli[@]}" --pipe >/dev/null
	"${cli[@]}" debug digest
	"${cli[@]}" bgsave
	load during | "${cli[@]}" --pipe >/dev/null
	wait_for rdb_bgsave_in_progress:0 info persistence
	"${cli[@]}" info persistence | grep -a rdb_last_bgsave_status
	"${cli[@]}" debug digest
	redis-benchmark -p "$port" -n 5000 -c 20 -q -t set,get,incr,lpush,hset,zadd,mset \
		>"$folder/benchmark" 2>&1
	echo "benchmark ended with status $?"
	grep -ci error "$folder/benchmark"
}

# What BGSAVE's child wrote, as a server without the library reads it.
saved()
{
	start PLAIN=1
	"${cli[@]}" dbsize
	"${cli[@]}" get key:1 | cut -c 1-6
	stop
}

for mode in plain watched; do
	folder=$WORK/$mode
	mkdir "$folder"
	if [ $mode = plain ]; then
		start PLAIN=1
	else
		start LD_PRELOAD="$TEST_LIBRARY" COWSPY_OUTPUT="$WORK/report.%p"
	fi
	{ run; stop; saved; } >"$folder/results" 2>&1
done
diff -u "$WORK/plain/results" "$WORK/watched/results" || wrong "redis: results differ"
[ "${failures:-0}" = 0 ] || tail -30 "$WORK/watched/log"
expect_equal "reports of server and child" 2 "$(reports_in "$WORK"/report.*)"
report check "$WORK"/report.* || wrong "a report's sums"
