/* What the program sets for its signals is what it reads back, whoever really holds them. */
#include "check.h"

#include <poll.h>
#include <pthread.h>
#include <sys/select.h>
#include <sys/syscall.h>

#pragma GCC diagnostic ignored "-Wdeprecated-declarations"

static char *pages;
static const int numbers[] = {SIGSEGV, SIGBUS, SIGSYS, SIGUSR1, SIGUSR2, SIGALRM, SIGSTKFLT};
#define NUMBERS (sizeof(numbers) / sizeof(*numbers))

/* Something fresh to write all the time. */
static void touch(void)
{
	static int next;
	pages[next++ % 512 * CHECK_PAGE] = 1;
}

static void handler(int number)
{
	(void)number;
	touch();
}

static void print_mask(const char *what, const sigset_t *set)
{
	printf("%s:", what);
	for (int number = 1; number < 65; number++)
		if (sigismember(set, number) == 1)
			printf(" %d", number);
	puts("");
}

static void print_current_mask(const char *what)
{
	sigset_t set;
	CHECK_EQUAL(sigprocmask(SIG_BLOCK, NULL, &set), 0);
	print_mask(what, &set);
}

static void print_action(int number)
{
	struct sigaction action;
	int result = sigaction(number, NULL, &action);
	printf("action %d: %d %s flags %x", number, result,
	       action.sa_handler == SIG_DFL   ? "default"
	       : action.sa_handler == SIG_IGN ? "ignored"
	       : action.sa_handler == handler ? "handler"
					      : "other",
	       (unsigned)action.sa_flags);
	print_mask(" mask", &action.sa_mask);
}

static void set_and_print(int number, void (*what)(int), int flags)
{
	struct sigaction action = {.sa_handler = what, .sa_flags = flags}, old;
	sigemptyset(&action.sa_mask);
	sigaddset(&action.sa_mask, SIGSEGV);
	sigaddset(&action.sa_mask, SIGHUP);
	CHECK_EQUAL(sigaction(number, &action, &old), 0);
	print_action(number);
	touch();
}

static void test_actions(void)
{
	static const int flags[] = {0,
				    SA_SIGINFO,
				    SA_ONSTACK,
				    SA_NODEFER,
				    SA_RESTART,
				    SA_RESETHAND,
				    SA_NOCLDSTOP,
				    0x400,
				    SA_NODEFER | SA_RESTART};
	for (size_t i = 0; i < NUMBERS; i++) {
		print_action(numbers[i]);
		for (size_t j = 0; j < sizeof(flags) / sizeof(*flags); j++)
			set_and_print(numbers[i], handler, flags[j]);
		set_and_print(numbers[i], SIG_IGN, 0);
		printf("signal: %s\n",
		       signal(numbers[i], handler) == SIG_IGN ? "was ignored" : "?");
		print_action(numbers[i]);
		CHECK_EQUAL(siginterrupt(numbers[i], 1), 0);
		print_action(numbers[i]);
		CHECK(signal(numbers[i], SIG_DFL) == handler);
		print_action(numbers[i]);
	}
}

static void test_errors(void)
{
	struct sigaction action = {.sa_handler = handler};
	static const int wrong[] = {0, -1, 65, SIGKILL, SIGSTOP, 32, 33};
	for (size_t i = 0; i < sizeof(wrong) / sizeof(*wrong); i++) {
		errno = 0;
		int result = sigaction(wrong[i], &action, NULL);
		printf("sigaction(%d): %d %d", wrong[i], result, errno);
		errno = 0;
		result = sigaction(wrong[i], NULL, &action);
		printf(", read %d %d\n", result, errno);
	}
	sigset_t set;
	sigemptyset(&set);
	errno = 0;
	printf("how: %d %d", sigprocmask(77, &set, NULL), errno);
	printf(" %d", pthread_sigmask(77, &set, NULL));
	printf(" %d\n", sigprocmask(77, NULL, &set));
	errno = 0;
	long result = syscall(SYS_rt_sigprocmask, SIG_BLOCK, 0x10, NULL, 8);
	printf("bad pointer: %ld %d\n", result, errno);
	result = syscall(SYS_rt_sigaction, SIGUSR2, 0x10, NULL, 8);
	printf("bad pointer: %ld %d\n", result, errno);
	result = syscall(SYS_rt_sigaction, SIGUSR2, NULL, NULL, 16);
	printf("bad size: %ld %d\n", result, errno);
}

static void test_masks(void)
{
	sigset_t set, old;
	for (size_t i = 0; i < NUMBERS; i++) {
		sigemptyset(&set);
		sigaddset(&set, numbers[i]);
		CHECK_EQUAL(sigprocmask(SIG_BLOCK, &set, &old), 0);
		print_mask("before", &old);
		print_current_mask("blocked");
		touch();
	}
	sigemptyset(&set);
	sigaddset(&set, SIGSEGV);
	CHECK_EQUAL(sigprocmask(SIG_UNBLOCK, &set, NULL), 0);
	print_current_mask("without SIGSEGV");
	sigfillset(&set);
	CHECK_EQUAL(pthread_sigmask(SIG_SETMASK, &set, NULL), 0);
	print_current_mask("all");
	touch();
	sigset_t *volatile same = &set;
	sigdelset(&set, SIGSYS);
	sigdelset(&set, SIGSTKFLT);
	CHECK_EQUAL(pthread_sigmask(SIG_SETMASK, &set, same), 0);
	print_mask("the same object", &set);
	print_current_mask("but two");
	sigemptyset(&set);
	CHECK_EQUAL(sigprocmask(SIG_SETMASK, &set, NULL), 0);
	print_current_mask("none");
}

static void *print_thread_mask(void *unused)
{
	print_current_mask("thread");
	touch();
	return unused;
}

static void run_thread(const pthread_attr_t *attributes)
{
	pthread_t thread;
	CHECK_EQUAL(pthread_create(&thread, attributes, print_thread_mask, NULL), 0);
	CHECK_EQUAL(pthread_join(thread, NULL), 0);
}

static void test_inherited(void)
{
	sigset_t set;
	sigemptyset(&set);
	sigaddset(&set, SIGSEGV);
	sigaddset(&set, SIGSYS);
	sigaddset(&set, SIGUSR2);
	CHECK_EQUAL(sigprocmask(SIG_SETMASK, &set, NULL), 0);
	run_thread(NULL);
	pthread_attr_t attributes;
	pthread_attr_init(&attributes);
	sigdelset(&set, SIGUSR2);
	sigdelset(&set, SIGSYS);
	CHECK_EQUAL(pthread_attr_setsigmask_np(&attributes, &set), 0);
	run_thread(&attributes);
	print_current_mask("creator");
	fflush(stdout);
	pid_t child = fork();
	if (!child) {
		print_current_mask("child");
		touch();
		fflush(stdout);
		_exit(0);
	}
	CHECK_EQUAL(wait_for(child), 0);
	sigemptyset(&set);
	CHECK_EQUAL(sigprocmask(SIG_SETMASK, &set, NULL), 0);
}

/* In a handler: its own signal, its sa_mask, and what was blocked; afterwards as before. */
static void show_mask(int number)
{
	printf("in handler of %d", number);
	print_current_mask(" mask");
	touch();
}

static void test_in_handlers(void)
{
	static const int wanted[] = {SIGUSR2, SIGUSR1, SIGSEGV, SIGSYS};
	for (int nodefer = 0; nodefer < 2; nodefer++) {
		for (size_t i = 0; i < 4; i++) {
			if (wanted[i] == SIGSYS)
				continue; /* README: its mask inside of handlers is not exact */
			struct sigaction action = {.sa_handler = show_mask,
						   .sa_flags = nodefer ? SA_NODEFER : 0};
			sigemptyset(&action.sa_mask);
			sigaddset(&action.sa_mask, SIGHUP);
			sigaddset(&action.sa_mask, SIGSEGV);
			CHECK_EQUAL(sigaction(wanted[i], &action, NULL), 0);
			raise(wanted[i]);
			print_current_mask("after");
			signal(wanted[i], SIG_DFL);
		}
	}
}

/* A call that waits with a mask: the handler runs with that one. */
static void test_waits(void)
{
	sigset_t wait, block;
	struct sigaction action = {.sa_handler = show_mask};
	sigemptyset(&action.sa_mask);
	CHECK_EQUAL(sigaction(SIGUSR2, &action, NULL), 0);
	sigfillset(&block);
	CHECK_EQUAL(sigprocmask(SIG_SETMASK, &block, NULL), 0);
	sigemptyset(&wait);
	sigaddset(&wait, SIGHUP);
	sigaddset(&wait, SIGSEGV);
	raise(SIGUSR2);
	errno = 0;
	printf("sigsuspend %d", sigsuspend(&wait));
	printf(" %d\n", errno);
	const struct timespec limit = {5, 0};
	raise(SIGUSR2);
	printf("ppoll %d", ppoll(NULL, 0, &limit, &wait));
	printf(" %d\n", errno);
	raise(SIGUSR2);
	printf("pselect %d", pselect(0, NULL, NULL, NULL, &limit, &wait));
	printf(" %d\n", errno);
	print_current_mask("afterwards");
	sigemptyset(&block);
	CHECK_EQUAL(sigprocmask(SIG_SETMASK, &block, NULL), 0);
	signal(SIGUSR2, SIG_DFL);
}

int main(void)
{
	setvbuf(stdout, NULL, _IOFBF, 1 << 20);
	pages = map_anonymous(512);
	test_actions();
	test_errors();
	test_masks();
	test_inherited();
	test_in_handlers();
	test_waits();
	return 0;
}
