#!/bin/bash
# nginx, a master and its workers, under load: reloads, reopened logs, a new binary in place of the
# old; files by sendfile, read and written, compressed, partial, cached proxy answers, uploads. No
# request may be lost, and answers and logs must be those of a server without the library.
# timeout: 240
. "$TOP/tests/real/servers.sh"

type nginx ab curl >/dev/null 2>&1 || skip "nginx, apache2-utils or curl is not installed"
trap 'kill -QUIT $(cat "$WORK"/*/pid* 2>/dev/null) 2>/dev/null; finish' EXIT # daemons
requests=2000
[ -z "$TEST_SLOW" ] || requests=20000

configure()
{
	mkdir -m 755 "$folder/root"
	mkdir -m 777 "$folder/temporary"
	seq 40000 >"$folder/root/long.txt"
	echo short >"$folder/root/short.txt"
	head -c 300000 "$folder/root/long.txt" >"$folder/upload"
	install -m 666 /dev/null "$folder/access.log" # workers reopen them
	install -m 666 /dev/null "$folder/error.log"
	cat >"$folder/conf" <<-END
		pid $folder/pid;
		error_log $folder/error.log notice;
		worker_processes 3;
		worker_shutdown_timeout 20s;
		events { worker_connections 256; }
		http {
			log_format short '\$request_method \$uri \$status \$body_bytes_sent';
			access_log $folder/access.log short;
			client_body_temp_path $folder/temporary/body;
			proxy_temp_path $folder/temporary/proxy;
			fastcgi_temp_path $folder/temporary/fastcgi;
			uwsgi_temp_path $folder/temporary/uwsgi;
			scgi_temp_path $folder/temporary/scgi;
			proxy_cache_path $folder/temporary/cache keys_zone=answers:1m;
			types { text/plain txt; }
			upstream self { server 127.0.0.1:$port; }
			server {
				listen 127.0.0.1:$port backlog=1024;
				root $folder/root;
				client_max_body_size 10m;
				client_body_buffer_size 8k;
				location /sent/ { alias $folder/root/; sendfile on; }
				location /read/ { alias $folder/root/; sendfile off; gzip on; }
				location /aside/ { alias $folder/root/; aio threads; }
				location /proxy/ { proxy_pass http://self/read/; proxy_buffers 4 4k; }
				location /cached/ {
					proxy_pass http://self/read/;
					proxy_cache answers;
					proxy_cache_valid 1m;
				}
				location /uploaded { proxy_pass http://self/checked; }
				location /checked { return 200 "length \$http_content_length\n"; }
			}
		}
	END
}

answers()
{
	local path
	for path in sent read aside proxy cached; do
		get $path/short.txt
		get $path/long.txt
		get $path/long.txt
		get $path/long.txt -r 1000-2000
	done
	get read/long.txt --compressed
	get uploaded --data-binary "@$folder/upload"
	get missing
	get sent/short.txt -X DELETE
}

reload()
{
	for _ in 1 2 3; do
		sleep 0.3
		kill -HUP "$server"
		kill -USR1 "$server"
	done
}

ended()
{
	! kill -0 "$1" 2>/dev/null
}

# end PID: gracefully; no child of ours, hence without a status.
end()
{
	kill -QUIT "$1"
	wait_until ended "$1"
}

# A new master takes over the sockets, then the old one ends.
replace_binary()
{
	local old=$server
	kill -USR2 "$old"
	wait_until test -s "$folder/pid.oldbin" -a -s "$folder/pid"
	server=$(cat "$folder/pid")
	wait_until pgrep -P "$server"
	end "$old"
}

run()
{
	env "${environment[@]}" "$(command -v nginx)" -c "$folder/conf" -e "$folder/error.log" >"$folder/output" 2>&1
	echo "start ended with status $?"
	wait_until test -s "$folder/pid"
	server=$(cat "$folder/pid")
	wait_until_served
	answers
	load "$requests" sent/short.txt -k
	load "$requests" read/short.txt >"$folder/ab.1" &
	load $((requests / 10)) proxy/long.txt >"$folder/ab.2" &
	load $((requests / 10)) aside/long.txt >"$folder/ab.3" &
	load_jobs=$(jobs -p)
	note_births "$server"
	kill -HUP "$server"
	wait_until born 3
	sleep 0.3
	look_at "$server" >"$folder/look"
	reload
	# shellcheck disable=SC2086 # words
	wait $load_jobs
	cat "$folder"/ab.?
	load "$requests" read/short.txt >"$folder/ab.1" &
	load_jobs=$!
	replace_binary
	wait "$load_jobs"
	cat "$folder/ab.1"
	answers
	end "$server"
	grep -v /ready "$folder/access.log" | sort | uniq -c >"$folder/access"
	sed -E 's/^[0-9/]+ [0-9:]+ //; s/[0-9]+#[0-9]+: (\*[0-9]+ )?//; s/(process|pid:?|from|cycle) [0-9]+/\1/g' \
		"$folder/error.log" | grep -vE '/ready|signal 17|signal 29|worker process' | sort -u \
		>"$folder/errors"
}

for mode in plain watched; do
	use $mode
	configure
	run >"$folder/results" 2>&1
done
compare_modes results access errors output
cat "$WORK/watched/look"
check_reports 10 'malloc|free' ngx_spawn_process
