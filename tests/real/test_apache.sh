#!/bin/bash
# Apache with its prefork module under load: children that end after 50 connections, graceful
# restarts meanwhile, compressed, partial and long answers, CGI scripts. No request may be lost, and
# answers and logs must be those of a server without the library.
# timeout: 240
. "$TOP/tests/real/servers.sh"

type apache2 ab curl >/dev/null 2>&1 || skip "apache2-bin, apache2-utils or curl is not installed"
modules=/usr/lib/apache2/modules
requests=2000
[ -z "$TEST_SLOW" ] || requests=20000

configure()
{
	mkdir -m 755 "$folder/htdocs" "$folder/cgi"
	seq 40000 >"$folder/htdocs/long.txt"
	echo short >"$folder/htdocs/short.txt"
	printf '#!/bin/sh\necho "Content-Type: text/plain"\necho\nexpr 6 \\* 7\n' >"$folder/cgi/work"
	chmod 755 "$folder/cgi/work"
	cat >"$folder/conf" <<-END
		ServerRoot $folder
		ServerName localhost
		Listen 127.0.0.1:$port
		PidFile $folder/pid
		DefaultRuntimeDir $folder
		LoadModule mpm_prefork_module $modules/mod_mpm_prefork.so
		LoadModule authz_core_module $modules/mod_authz_core.so
		LoadModule mime_module $modules/mod_mime.so
		LoadModule filter_module $modules/mod_filter.so
		LoadModule deflate_module $modules/mod_deflate.so
		LoadModule alias_module $modules/mod_alias.so
		LoadModule cgi_module $modules/mod_cgi.so
		User www-data
		Group www-data
		StartServers 3
		MinSpareServers 2
		MaxSpareServers 4
		MaxRequestWorkers 40
		MaxConnectionsPerChild 50
		DocumentRoot $folder/htdocs
		TypesConfig /etc/mime.types
		AddOutputFilterByType DEFLATE text/plain
		ScriptAlias /cgi/ $folder/cgi/
		ErrorLog $folder/error.log
		LogLevel notice
		LogFormat "%m %U %>s %B" short
		CustomLog $folder/access.log short
	END
}

answers()
{
	get short.txt
	get long.txt
	get long.txt --compressed
	get long.txt -r 1000-2000
	get cgi/work
	get missing
	get short.txt -X DELETE
}

# Restarted gracefully all the while, so that children of all generations serve.
reload()
{
	for _ in $(seq 4); do
		sleep 0.3
		kill -USR1 "$server"
	done
}

run()
{
	env "${environment[@]}" apache2 -f "$folder/conf" -DNO_DETACH >"$folder/output" 2>&1 &
	server=$!
	wait_until_served
	note_births "$server"
	answers
	load "$requests" short.txt -k
	load "$requests" short.txt >"$folder/ab.1" &
	load $((requests / 10)) long.txt -H 'Accept-Encoding: gzip' >"$folder/ab.2" &
	load 50 cgi/work >"$folder/ab.3" &
	load_jobs=$(jobs -p | grep -v "^$server$")
	wait_until born 3
	sleep 0.2
	look_at "$server" >"$folder/look"
	reload
	# shellcheck disable=SC2086 # words
	wait $load_jobs
	cat "$folder"/ab.?
	answers
	kill -WINCH "$server" # ends gracefully
	wait "$server"
	echo "ended with status $?"
	grep -vE '^OPTIONS|/ready' "$folder/access.log" | sort | uniq -c >"$folder/access"
	sed -E 's/^\[[^]]*\] //; s/\[pid [0-9]+(:tid [0-9]+)?\] //' "$folder/error.log" | sort -u \
		>"$folder/errors"
}

for mode in plain watched; do
	use $mode
	configure
	run >"$folder/results" 2>&1
done
compare_modes results access errors output
cat "$WORK/watched/look"
check_reports 20 'apr_pool|apr_palloc' ap_run_mpm
