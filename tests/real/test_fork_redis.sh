#!/bin/bash
# redis-server: BGSAVE while every key is set again and some are new. Report and kernel agree in the server and in its
# child, and what the server copied is what Redis itself measures.
# timeout: 300
. "$TOP/tests/lib.sh"
. "$TOP/tests/real/proof.sh"
proof_begin

keys=50000 delay=150
[ -z "$TEST_SLOW" ] || { keys=200000; delay=60; }
cli=(redis-cli -s "$WORK/socket")

answers()
{
	"${cli[@]}" "${@:2}" 2>/dev/null | grep -q "$1"
}

info()
{
	"${cli[@]}" info persistence | tr -d '\r' | sed -n "s/^$1://p"
}

# Those of `debug populate`, with another text, and some new ones.
set_all()
{
	seq 0 $((keys * 11 / 10)) | awk -v text="$(head -c 900 /dev/zero | tr '\0' x)" \
		'{ print "SET key:" $1 " " text }' | "${cli[@]}" --pipe >/dev/null
}

"${proven[@]}" redis-server --port 0 --unixsocket "$WORK/socket" --save '' --dir "$WORK" \
	--rdb-key-save-delay $delay --enable-debug-command yes >"$WORK/log" 2>&1 &
server=$!
until_true 30 answers PONG ping || wrong "the server does not answer: $(cat "$WORK/log")"
"${cli[@]}" debug populate $keys key 900 >/dev/null
answers PONG ping
frames save $server "$WORK/before"
"${cli[@]}" bgsave >/dev/null
child=$(pgrep -P $server)
kill -STOP "$child"
set_all
prove "server" $server before
kill -CONT "$child"
prove "BGSAVE's child $child" "$child" before
own=$(frames aside "$WORK/before" "$WORK/now")
until_true 100 answers rdb_bgsave_in_progress:0 info persistence || wrong "BGSAVE does not end"
expect_equal "BGSAVE's status" ok "$(info rdb_last_bgsave_status)"
redis=$(($(info rdb_last_cow_size) / 4096))
"${cli[@]}" shutdown nosave
wait $server
expect_equal "the server's status" 0 $?

# Redis asks smaps for Private_Dirty of the child, last when it has written everything: the pages
# that the server left to the child by copying them, what the child has by its own writes, and what
# the library's own memory takes there.
fork=$(report total fork "$WORK/report.$server")
echo "copied by the server since the fork: $fork pages; Redis' rdb_last_cow_size: $redis," \
	"of which the child's own: $own"
difference=$((fork + own - redis))
[ $((${difference#-} * 100)) -le "$redis" ] || wrong "more than 1 % apart: $difference pages"

mkdir "$WORK/recording"
mv "$WORK/report.$server.trace" "$WORK/recording"
"${TEST_LIBRARY%/*}/cowspy" report --kind fork --limit 12 "$WORK/recording" >"$WORK/stacks"
sed -n '/^by stack/,$p' "$WORK/stacks" | grep ' % '
for function in sdsnewlen setKey dict; do
	grep -q "^ .*$function" "$WORK/stacks" || wrong "$function is in none of the top stacks"
done
[ "$failures" = 0 ] || tail -30 "$WORK/log"
