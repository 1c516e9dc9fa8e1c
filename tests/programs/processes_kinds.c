/*
 * New processes of every kind: what they inherit of signals, and what the parent keeps, is what it
 * would be alone. Called with a word, the program prints what it has inherited.
 */
/* timeout: 60 */
#include "check.h"

#include <pthread.h>
#include <sched.h>
#include <spawn.h>
#include <sys/syscall.h>

extern char **environ;
static char *pages;
static size_t next_page;
static char self[4096];

static void touch(void)
{
	if (pages)
		pages[next_page++ % 4096 * CHECK_PAGE] = 1;
}

static void handler(int number)
{
	(void)number;
	touch();
}

static void print_signals(const char *what)
{
	printf("%s:", what);
	for (int number = 1; number < 65; number++) {
		struct sigaction action;
		if (number == 32 || number == 33 || sigaction(number, NULL, &action))
			continue;
		if (action.sa_handler != SIG_DFL)
			printf(" %d%s", number, action.sa_handler == SIG_IGN ? "i" : "h");
	}
	sigset_t set;
	sigprocmask(SIG_BLOCK, NULL, &set);
	printf(" blocked");
	for (int number = 1; number < 65; number++)
		if (sigismember(&set, number) == 1)
			printf(" %d", number);
	puts("");
	fflush(stdout);
}

static int inherited(void)
{
	print_signals("inherited");
	return 9;
}

static void set_signals(void)
{
	signal(SIGUSR1, SIG_IGN);
	signal(SIGSEGV, handler);
	signal(SIGUSR2, handler);
	signal(SIGHUP, SIG_IGN);
	sigset_t set;
	sigemptyset(&set);
	sigaddset(&set, SIGSEGV);
	sigaddset(&set, SIGTERM);
	sigprocmask(SIG_SETMASK, &set, NULL);
}

static char *arguments[] = {self, (char *)"inherited", NULL};

static void after(const char *what, int status)
{
	printf("%s: %d\n", what, status);
	print_signals("  parent");
	touch();
}

static void test_fork_exec(void)
{
	fflush(stdout);
	pid_t child = fork();
	if (!child) {
		touch();
		print_signals("forked");
		signal(SIGUSR2, SIG_DFL);
		execv(self, arguments);
		_exit(1);
	}
	after("fork and exec", wait_for(child));
}

static void test_vfork_exec(void)
{
	fflush(stdout);
	pid_t child = vfork();
	if (!child) {
		sigset_t set;
		sigfillset(&set);
		sigprocmask(SIG_SETMASK, &set, NULL);
		signal(SIGUSR1, SIG_DFL);
		signal(SIGSEGV, SIG_IGN);
		signal(SIGUSR2, SIG_IGN);
		execv("/nonexistent", arguments);
		execv(self, arguments);
		_exit(1);
	}
	after("vfork and exec", wait_for(child));
	child = vfork();
	if (!child)
		_exit(17);
	after("vfork and _exit", wait_for(child));
}

static void test_spawn(void)
{
	pid_t child;
	CHECK_EQUAL(posix_spawn(&child, self, NULL, NULL, arguments, environ), 0);
	after("posix_spawn", wait_for(child));
	posix_spawnattr_t attributes;
	sigset_t set;
	posix_spawnattr_init(&attributes);
	sigemptyset(&set);
	sigaddset(&set, SIGUSR1);
	sigaddset(&set, SIGHUP);
	posix_spawnattr_setsigdefault(&attributes, &set);
	sigemptyset(&set);
	sigaddset(&set, SIGALRM);
	posix_spawnattr_setsigmask(&attributes, &set);
	posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETSIGDEF | POSIX_SPAWN_SETSIGMASK);
	CHECK_EQUAL(posix_spawnp(&child, self, NULL, &attributes, arguments, environ), 0);
	after("posix_spawnp with attributes", wait_for(child));
	CHECK_EQUAL(posix_spawn(&child, "/nonexistent", NULL, NULL, arguments, environ), ENOENT);
	after("posix_spawn of nothing", ENOENT);
}

static void test_shells(void)
{
	char command[5000], line[200];
	snprintf(command, sizeof(command), "%s inherited", self);
	after("system", WEXITSTATUS(system(command)));
	FILE *stream = popen(command, "r");
	CHECK(stream && fgets(line, sizeof(line), stream));
	printf("popen: %s", line);
	after("pclose", WEXITSTATUS(pclose(stream)));
}

static void test_failed_exec(void)
{
	errno = 0;
	int result = execv("/nonexistent", arguments);
	printf("execv: %d %d\n", result, errno);
	result = execv("/", arguments);
	printf("execv: %d %d\n", result, errno);
	after("still here", 0);
	raise(SIGUSR2);
	raise(SIGUSR1);
}

static void test_daemon(void)
{
	int ends[2];
	char byte = 0;
	fflush(stdout);
	CHECK_EQUAL(pipe(ends), 0);
	pid_t child = fork();
	if (!child) {
		if (daemon(0, 0))
			_exit(1);
		touch();
		_exit(write(ends[1], pages[0] == 1 && getppid() ? "d" : "?", 1) != 1);
	}
	int status = wait_for(child);
	CHECK_EQUAL(read(ends[0], &byte, 1), 1);
	printf("daemon: %d %c\n", status, byte);
}

static void fork_in_handler(int number)
{
	(void)number;
	touch();
	pid_t child = fork();
	if (!child) {
		touch();
		_exit(21);
	}
	printf("fork in a handler: %d\n", wait_for(child));
}

static void test_fork_in_handler(void)
{
	fflush(stdout);
	signal(SIGALRM, fork_in_handler);
	raise(SIGALRM);
	signal(SIGALRM, SIG_DFL);
}

static void test_double_fork(void)
{
	int ends[2];
	char byte = 0;
	fflush(stdout);
	CHECK_EQUAL(pipe(ends), 0);
	pid_t child = fork();
	if (!child) {
		touch();
		if (!fork()) {
			touch();
			_exit(write(ends[1], "g", 1) != 1);
		}
		_exit(0);
	}
	int status = wait_for(child);
	CHECK_EQUAL(read(ends[0], &byte, 1), 1);
	printf("double fork: %d %c\n", status, byte);
}

static void test_raw_calls(void)
{
	fflush(stdout);
	pid_t child = (pid_t)syscall(SYS_fork);
	if (!child) {
		touch();
		_exit(31);
	}
	printf("raw fork: %d\n", wait_for(child));
	child = (pid_t)syscall(SYS_clone, SIGCHLD, 0, 0, 0, 0);
	if (!child) {
		touch();
		_exit(32);
	}
	printf("raw clone: %d\n", wait_for(child));
	child = _Fork();
	if (!child) {
		touch();
		_exit(33);
	}
	printf("_Fork: %d\n", wait_for(child));
}

int main(int argc, char **argv)
{
	(void)argv;
	setvbuf(stdout, NULL, _IOFBF, 1 << 20);
	if (argc > 1)
		return inherited();
	CHECK(readlink("/proc/self/exe", self, sizeof(self) - 1) > 0);
	set_signals();
	test_spawn();
	test_vfork_exec();
	pages = map_anonymous(4096);
	touch();
	test_fork_exec();
	test_vfork_exec();
	test_spawn();
	test_shells();
	test_failed_exec();
	test_daemon();
	test_fork_in_handler();
	test_double_fork();
	test_raw_calls();
	return 0;
}
