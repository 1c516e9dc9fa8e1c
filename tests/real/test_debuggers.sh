#!/bin/bash
# gdb and strace on a watched program: what it prints and how it ends is the same as without us, and
# the debugger shows the program.
# timeout: 180
. "$TOP/tests/lib.sh"

type gdb strace >/dev/null 2>&1 || skip "gdb or strace is not installed"

cat >"$WORK/debugged.c" <<'SOURCE'
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>
static char *pages;
static int handled;
static void on_signal(int number) { handled += number == SIGUSR2; }
__attribute__((noinline)) static void write_page(int i) { pages[i * 4096] = (char)i; }
static void *work(void *unused) { for (int i = 0; i < 100; i++) write_page(i); return unused; }
int main(int argc, char **argv)
{
	pthread_t thread;
	int status, sum = 0;
	(void)argv;
	pages = mmap(NULL, 100 * 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	signal(SIGUSR2, on_signal);
	raise(SIGUSR2);
	pthread_create(&thread, NULL, work, NULL);
	pthread_join(thread, NULL);
	if (!fork()) { work(NULL); _exit(3); }
	wait(&status);
	work(NULL);
	for (int i = 0; i < 100; i++) sum += pages[i * 4096];
	printf("handled %d, child %d, sum %d\n", handled, WEXITSTATUS(status), sum);
	fflush(stdout);
	if (argc > 1) *(volatile int *)argv[100] = 1;
	return 5;
}
SOURCE
gcc -O0 -g -pthread -w -o "$WORK/debugged" "$WORK/debugged.c" || wrong "the compiler"
preload="LD_PRELOAD=$TEST_LIBRARY"

# --- strace: LD_PRELOAD for the program, not for strace
for options in "" "-f" "-f -e trace=openat -c" "-f -e inject=getppid:retval=1" "--seccomp-bpf -f"; do
	# shellcheck disable=SC2086 # words
	strace $options -o "$WORK/log" "$WORK/debugged" >"$WORK/plain" 2>"$WORK/plain.err"
	plain=$?
	# shellcheck disable=SC2086
	strace $options -o "$WORK/log" -E "$preload" -E COWSPY_OUTPUT="$WORK/report.%p" \
		"$WORK/debugged" >"$WORK/watched" 2>"$WORK/watched.err"
	expect_equal "strace $options: status" $plain $?
	diff "$WORK/plain" "$WORK/watched" || wrong "strace $options"
	[ -s "$WORK/log" ] || wrong "strace $options: no log"
done
report check "$WORK"/report.* || wrong "the reports under strace"

# --- gdb: as README says
cat >"$WORK/commands" <<-'COMMANDS'
	set pagination off
	set startup-with-shell off
	set debuginfod enabled off
	set print thread-events off
	handle SIGSEGV SIGSYS nostop noprint pass
	handle SIGUSR2 nostop noprint pass
	break write_page if i == 42
	run
	backtrace 1
	print i
	print pages[41 * 4096]
	next
	print pages[42 * 4096]
	finish
	watch handled
	delete
	continue
COMMANDS
# Without addresses, numbers of tasks, and the lines about the library itself.
debug()
{
	timeout 60 gdb -q -nx -batch "$@" -x "$WORK/commands" "$WORK/debugged" 2>&1 |
		grep -v -e '^cowspy: ' -e '^warning' -e 'libthread_db' -e 'Detaching after' |
		sed -E -e 's/0x[0-9a-f]+/ADDRESS/g' -e 's/(LWP|process) [0-9]+/TASK/g'
}
debug >"$WORK/plain"
debug -ex "set environment $preload" -ex "set environment COWSPY_OUTPUT=$WORK/gdb.%p" >"$WORK/watched"
diff "$WORK/plain" "$WORK/watched" || wrong "gdb"
grep -q '= 42' "$WORK/watched" && grep -q 'exited with code 05' "$WORK/watched" || wrong "gdb did nothing"
report check "$WORK"/gdb.*[0-9] || wrong "the reports under gdb"

# A true crash stops at the faulting line: gdb sees it when the signal reaches the default action.
cat >"$WORK/commands" <<-'COMMANDS'
	set pagination off
	set startup-with-shell off
	set debuginfod enabled off
	handle SIGSEGV SIGSYS SIGUSR2 nostop noprint pass
	run crash
COMMANDS
debug | tail -2 >"$WORK/plain"
debug -ex "set environment $preload" -ex "set environment COWSPY_OUTPUT=$WORK/gdb.%p" |
	tail -2 >"$WORK/watched"
diff "$WORK/plain" "$WORK/watched" || wrong "gdb, a crash"

# --- gdb attaches to a watched program, reads it and lets it go
mkfifo "$WORK/fifo"
watched COWSPY_OUTPUT="$WORK/attached.%p" bash -c 'read -r line; echo "$line"; exit 4' \
	<"$WORK/fifo" >"$WORK/attached" 2>/dev/null &
process=$!
exec 8>"$WORK/fifo"
sleep 0.5
timeout 60 gdb -q -nx -batch -ex 'set debuginfod enabled off' -ex 'backtrace' -ex detach \
	-p $process >"$WORK/gdb" 2>&1
grep -q '^#0 ' "$WORK/gdb" || wrong "no stack of an attached process"
echo "goes on" >&8
exec 8>&-
wait $process
expect_equal "status after gdb has let it go" 4 $?
expect_equal "output after gdb has let it go" "goes on" "$(cat "$WORK/attached")"
