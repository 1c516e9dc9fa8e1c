#!/bin/bash
# A redis-server in this folder: many keys, BGSAVE while they change, the same data afterwards.
set -u
redis-server --port 0 --unixsocket "$PWD/redis" --save '' --daemonize no --logfile log --dir . \
	--enable-debug-command yes &
cli=(redis-cli -s redis)
for ((i = 0; i < 200; i++)); do
	[ "$("${cli[@]}" ping 2>/dev/null)" = PONG ] && break
	sleep 0.05
done
"${cli[@]}" debug populate 30000 key 200
"${cli[@]}" bgsave
for ((i = 0; i < 40; i++)); do echo "set key:$((i * 600)) changed"; done | "${cli[@]}" | sort | uniq -c
for ((i = 0; i < 400; i++)); do
	"${cli[@]}" info persistence | grep -q rdb_bgsave_in_progress:0 && break
	sleep 0.05
done
"${cli[@]}" info persistence | grep rdb_last_bgsave_status | tr -d '\r'
"${cli[@]}" debug digest
"${cli[@]}" shutdown nosave
wait
echo "status $?"
rm -f log dump.rdb redis
