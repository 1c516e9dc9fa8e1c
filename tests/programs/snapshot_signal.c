/* A program's own view of the snapshot signal. test_signal.sh runs it with and without COWSPY_SIGNAL. */
/* run by: test_signal.sh */
#include "check.h"

#include <pthread.h>

static volatile int calls;

static void own(int signal, siginfo_t *info, void *context)
{
	(void)signal;
	(void)context;
	CHECK_EQUAL(info->si_pid, getpid());
	calls++;
}

int main(int argc, char **argv)
{
	CHECK_EQUAL(argc, 3);
	const char *how = argv[1];
	int number = !strcmp(argv[2], "USR2") ? SIGUSR2 : SIGUSR1;
	char *pages = map_anonymous(4);
	pages[0] = 'a';
	sigset_t set, pending;
	sigemptyset(&set);
	sigaddset(&set, number);
	printf("%s\n", how);
	fflush(stdout);
	if (!strcmp(how, "handler")) {
		struct sigaction action = {.sa_sigaction = own, .sa_flags = SA_SIGINFO}, now;
		CHECK_EQUAL(sigaction(number, &action, &now), 0);
		CHECK(now.sa_handler == SIG_DFL);
		raise(number);
		CHECK_EQUAL(calls, 1);
		CHECK_EQUAL(sigaction(number, NULL, &now), 0);
		CHECK(now.sa_sigaction == own);
	} else if (!strcmp(how, "blocked")) {
		struct sigaction action = {.sa_sigaction = own, .sa_flags = SA_SIGINFO};
		CHECK_EQUAL(sigaction(number, &action, NULL), 0);
		CHECK_EQUAL(sigprocmask(SIG_BLOCK, &set, NULL), 0);
		raise(number);
		CHECK_EQUAL(calls, 0);
		CHECK_EQUAL(sigpending(&pending), 0);
		CHECK_EQUAL(sigismember(&pending, number), 1);
		CHECK_EQUAL(sigprocmask(SIG_UNBLOCK, &set, NULL), 0);
		CHECK_EQUAL(calls, 1);
	} else if (!strcmp(how, "waited for")) {
		int got;
		CHECK_EQUAL(sigprocmask(SIG_BLOCK, &set, NULL), 0);
		raise(number);
		CHECK_EQUAL(sigwait(&set, &got), 0);
		CHECK_EQUAL(got, number);
	} else if (!strcmp(how, "ignored")) {
		CHECK(signal(number, SIG_IGN) == SIG_DFL);
		raise(number);
		CHECK(signal(number, SIG_DFL) == SIG_IGN);
	} else if (!strcmp(how, "default")) {
		raise(number);
	}
	pages[CHECK_PAGE] = 'b';
	puts("alive");
	return 0;
}
