#!/bin/bash
# Virtual machines that have handlers and protections of their own, for small programs.
# timeout: 120
. "$TOP/tests/lib.sh"

work=$TOP/tests/real
"$work/compare.sh" perl "$work/perl_work.pl" || wrong perl
"$work/compare.sh" php "$work/php_work.php" || wrong php
"$work/compare.sh" php -d opcache.enable_cli=1 -d opcache.jit=tracing -d opcache.jit_buffer_size=32M \
	"$work/php_work.php" || wrong "php, compiling"
"$work/compare.sh" ruby "$work/ruby_work.rb" || wrong ruby
"$work/compare.sh" ruby --jit "$work/ruby_work.rb" || wrong "ruby, compiling"
if type node >/dev/null 2>&1; then
	"$work/compare.sh" node "$work/node_work.js" || wrong node
fi
if type javac >/dev/null 2>&1; then
	javac -d "$WORK" "$work/JavaWork.java" || wrong "the compiler"
	for collector in Serial G1 Z; do
		"$work/compare.sh" java -XX:+Use${collector}GC -Xmx256m -cp "$WORK" JavaWork ||
			wrong "java, collector $collector"
	done
fi
