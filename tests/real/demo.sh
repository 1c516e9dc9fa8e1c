#!/bin/bash
# What cowspy tells of a real program: redis-server saves its data in a forked child, while the
# parent goes on changing them. Every page the parent then writes first is copied.
#
#   tests/real/demo.sh LIBRARY
set -eu

library=$1
folder=$(mktemp -d)
cli=(redis-cli -s "$folder/socket")
keys=50000
server=

# shellcheck disable=SC2317 # called by the trap
clean()
{
	[ -z "$server" ] || kill "$server" 2>/dev/null || :
	rm -rf "$folder"
}
trap clean EXIT

until_server_says()
{
	local text=$1
	shift
	for _ in $(seq 300); do
		if "${cli[@]}" "$@" 2>/dev/null | grep -q "$text"; then
			return
		fi
		sleep 0.05
	done
	echo "demo: the server does not say '$text' to $*; its log:" >&2
	cat "$folder/log" >&2
	exit 1
}

write_keys()
{
	seq "$1" "$2" "$keys" | awk -v text="$3" '{ print "SET key:" $1 " " text ":" $1 }'
}

printf '\nredis-server with cowspy in it: %s keys, then BGSAVE while every 20th is changed\n' $keys
env LD_PRELOAD="$library" COWSPY_OUTPUT="$folder/report.%p" COWSPY_PAGE_MAP=6 COWSPY_STACKS=4 \
	COWSPY_STACK_DEPTH=8 redis-server --port 0 --unixsocket "$folder/socket" --save '' \
	--dir "$folder" --rdb-key-save-delay 20 >"$folder/log" 2>&1 &
server=$!
until_server_says PONG ping
write_keys 1 1 before | "${cli[@]}" --pipe >/dev/null
"${cli[@]}" bgsave >/dev/null
write_keys 1 20 during | "${cli[@]}" --pipe >/dev/null
until_server_says rdb_bgsave_in_progress:0 info persistence
"${cli[@]}" shutdown nosave
wait "$server" || { cat "$folder/log" >&2; exit 1; }

printf '\n---- the server ----\n\n'
cat "$folder/report.$server"
for report in "$folder"/report.*; do
	case $report in
	*."$server" | *.trace) continue ;;
	esac
	printf '\n---- its child, which only read: the first lines ----\n\n'
	sed '/^mappings/,$d' "$report"
done
cat <<END
How to read on: "fork" counts pages that the server copied since BGSAVE's fork had shared them; the
stacks say who wrote them first, the page maps where (names say redis-check-rdb: in Debian
redis-server is a link to it). Your own program: LD_PRELOAD=\$PWD/libcowspy.so ./app; see README.md.
END
server=
