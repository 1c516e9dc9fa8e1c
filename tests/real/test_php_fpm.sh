#!/bin/bash
# PHP's FastCGI process manager behind nginx, under load: children that end after 40 requests,
# reloads that execute the master anew, the opcode cache with its compiler, PCRE's compiler, big
# arrays, uploads, scripts that fail. No request may be lost, and answers and logs must be those of a
# server without the library.
# timeout: 240
. "$TOP/tests/real/servers.sh"

fpm=$(ls /usr/sbin/php-fpm* 2>/dev/null | tail -1)
[ -n "$fpm" ] && type nginx ab curl cgi-fcgi >/dev/null 2>&1 ||
	skip "php-fpm, nginx, apache2-utils, curl or libfcgi-bin is not installed"
requests=1000
[ -z "$TEST_SLOW" ] || requests=10000

scripts()
{
	cat >"$folder/root/work.php" <<-'END'
		<?php
		$n = (int)($_GET['n'] ?? 300);
		$all = [];
		for ($i = 0; $i < $n; $i++)
			$all["key $i"] = ['id' => $i, 'text' => str_repeat(chr(97 + $i % 26), $i % 97)];
		uasort($all, fn($a, $b) => strcmp($a['text'], $b['text']) ?: $a['id'] <=> $b['id']);
		$text = json_encode($all);
		preg_match_all('/"id":(\d+),"text":"(a+)"/', $text, $found);
		echo md5($text), ' ', count($found[0]), ' ', md5(serialize(json_decode($text, true))), ' ',
			strlen(gzcompress($text)), ' ', array_sum(array_column($all, 'id')), "\n";
	END
	cat >"$folder/root/post.php" <<-'END'
		<?php
		echo strlen(file_get_contents('php://input')), ' ', count($_POST), ' ',
			isset($_FILES['file']) ? md5_file($_FILES['file']['tmp_name']) : 'none', "\n";
	END
	echo '<?php echo str_repeat("0123456789\n", 200000);' >"$folder/root/long.php"
	echo '<?php ini_set("memory_limit", "4M"); $a = str_repeat("x", 8 << 20);' >"$folder/root/fails.php"
	echo '<?php throw new Exception("thrown");' >"$folder/root/throws.php"
	echo '<?php echo shell_exec("expr 6 \* 7"), exec("echo done"), "\n";' >"$folder/root/shell.php"
	echo '<?php echo "ready\n";' >"$folder/root/ready.php"
}

configure()
{
	mkdir -m 755 "$folder/root"
	mkdir -m 777 "$folder/temporary"
	seq 40000 >"$folder/upload"
	install -m 666 /dev/null "$folder/fpm.log"
	scripts
	cat >"$folder/fpm.conf" <<-END
		[global]
		error_log = $folder/fpm.log
		process_control_timeout = 20
		[www]
		user = www-data
		group = www-data
		listen = $folder/socket
		listen.mode = 0666
		listen.backlog = 1024
		pm = dynamic
		pm.max_children = 16
		pm.start_servers = 3
		pm.min_spare_servers = 2
		pm.max_spare_servers = 8
		pm.max_requests = 40
		catch_workers_output = yes
		php_admin_value[opcache.enable] = 1
		php_admin_value[opcache.jit] = tracing
		php_admin_value[opcache.jit_buffer_size] = 8M
		php_admin_value[upload_tmp_dir] = $folder/temporary
		php_admin_value[display_errors] = Off
	END
	cat >"$folder/nginx.conf" <<-END
		daemon off;
		pid $folder/pid;
		worker_processes 2;
		error_log $folder/nginx.log warn;
		events { worker_connections 256; }
		http {
			access_log off;
			client_body_temp_path $folder/temporary/body;
			client_body_buffer_size 1m;
			proxy_temp_path $folder/temporary/proxy;
			fastcgi_temp_path $folder/temporary/fastcgi;
			uwsgi_temp_path $folder/temporary/uwsgi;
			scgi_temp_path $folder/temporary/scgi;
			server {
				listen 127.0.0.1:$port backlog=1024;
				location / {
					fastcgi_pass unix:$folder/socket;
					fastcgi_param SCRIPT_FILENAME $folder/root\$uri.php;
					fastcgi_param QUERY_STRING \$query_string;
					fastcgi_param REQUEST_METHOD \$request_method;
					fastcgi_param CONTENT_TYPE \$content_type;
					fastcgi_param CONTENT_LENGTH \$content_length;
				}
			}
		}
	END
}

answers()
{
	get work
	get 'work?n=20000'
	get long
	get fails
	get throws
	get shell
	get missing
	get post --data-binary "@$folder/upload"
	get post -F "file=@$folder/upload" -F a=b
}

# Without a web server: one request by FastCGI itself.
direct()
{
	SCRIPT_FILENAME=$folder/root/work.php REQUEST_METHOD=GET QUERY_STRING=n=50 \
		cgi-fcgi -bind -connect "$folder/socket"
}

reload()
{
	for _ in 1 2 3; do
		sleep 0.4
		kill -USR2 "$server"
	done
}

run()
{
	# A reload executes the manager by the name it was started with.
	env "${environment[@]}" "$fpm" -F -y "$folder/fpm.conf" -n -d zend_extension=opcache \
		>"$folder/output" 2>&1 &
	server=$!
	env "${environment[@]}" nginx -c "$folder/nginx.conf" -e "$folder/nginx.log" &
	front=$!
	wait_until curl -sf "http://127.0.0.1:$port/ready"
	answers
	direct
	load "$requests" work >"$folder/ab.1" &
	load $((requests / 10)) 'work?n=5000' >"$folder/ab.2" &
	load 50 long >"$folder/ab.3" &
	load_jobs=$(jobs -p | grep -v -e "^$server$" -e "^$front$")
	note_births "$server"
	kill -USR2 "$server"
	wait_until born 3
	sleep 0.3
	look_at "$server" >"$folder/look"
	reload
	# shellcheck disable=SC2086 # words
	wait $load_jobs
	cat "$folder"/ab.?
	answers
	stop QUIT "$server"
	stop QUIT "$front"
	# Reloads that come too soon after each other are one.
	sed 's/^[^]]*] //' "$folder/output" | sort -u >"$folder/says"
	sed -E 's/^\[[^]]*\] //; s/child [0-9]+/child/; s/pid [0-9]+/pid/; s/after [0-9.]+ sec.*//' \
		"$folder/fpm.log" | grep -vE 'seems busy|max_children|stopped for tracing' | sort -u >"$folder/errors"
	sed -E 's/^[0-9/]+ [0-9:]+ //; s/[0-9]+#[0-9]+: (\*[0-9]+ )?//' "$folder/nginx.log" |
		grep -v /ready | sort >"$folder/front"
}

for mode in plain watched; do
	use $mode
	configure
	run >"$folder/results" 2>&1
done
compare_modes results errors front says
cat "$WORK/watched/look"
check_reports 20 php_module_shutdown zend_activate
