/* The older calls for signals, and the waits with a mask: what they say is what they say alone. */
#include "check.h"

#include <sys/epoll.h>
#include <sys/syscall.h>
#include <time.h>

#pragma GCC diagnostic ignored "-Wdeprecated-declarations"

/* No header has it any more; programs of before POSIX.1-2008 call it. */
extern __sighandler_t bsd_signal(int number, __sighandler_t handler);

static const int numbers[] = {SIGSEGV, SIGBUS, SIGSYS, SIGUSR1, SIGUSR2};
#define NUMBERS (sizeof(numbers) / sizeof(*numbers))
#define PAGES 512

static char *pages;
static volatile int handled;

static void touch(void)
{
	static int next;
	pages[next++ % PAGES * CHECK_PAGE] = 1;
}

static void handler(int number)
{
	sigset_t set;
	touch();
	handled++;
	sigprocmask(SIG_BLOCK, NULL, &set);
	/* README: these two are not exact in the mask inside of handlers. */
	sigdelset(&set, SIGBUS);
	sigdelset(&set, SIGSYS);
	printf("  handler of %d, blocked %d", number, sigismember(&set, number));
	printf(", hangup blocked %d\n", sigismember(&set, SIGHUP));
}

static const char *name_of(__sighandler_t what)
{
	return what == SIG_DFL    ? "default"
	       : what == SIG_IGN  ? "ignored"
	       : what == SIG_ERR  ? "error"
	       : what == SIG_HOLD ? "held"
	       : what == handler  ? "handler"
				  : "other";
}

static void print_state(int number)
{
	struct sigaction action;
	sigset_t set;
	CHECK_EQUAL(sigaction(number, NULL, &action), 0);
	CHECK_EQUAL(sigprocmask(SIG_BLOCK, NULL, &set), 0);
	printf("  %d: %s flags %x mask of itself %d, blocked %d\n", number,
	       name_of(action.sa_handler), (unsigned)action.sa_flags,
	       sigismember(&action.sa_mask, number), sigismember(&set, number));
}

/* Those of System V forget the handler at the first signal, those of BSD keep it. */
static void test_signal_calls(int number)
{
	printf("sysv_signal %s\n", name_of(sysv_signal(number, handler)));
	print_state(number);
	raise(number);
	print_state(number);
	printf("bsd_signal %s\n", name_of(bsd_signal(number, handler)));
	print_state(number);
	raise(number);
	raise(number);
	print_state(number);
	CHECK_EQUAL(siginterrupt(number, 1), 0);
	printf("bsd_signal after siginterrupt %s\n", name_of(bsd_signal(number, handler)));
	print_state(number);
	CHECK_EQUAL(siginterrupt(number, 0), 0);
	print_state(number);
	printf("ssignal %s\n", name_of(ssignal(number, SIG_DFL)));
}

static void test_sigset(int number)
{
	printf("sigset %s\n", name_of(sigset(number, handler)));
	print_state(number);
	raise(number);
	printf("sigset %s\n", name_of(sigset(number, SIG_HOLD)));
	print_state(number);
	touch();
	raise(number); /* pending until sigset lets it in */
	printf("sigset %s\n", name_of(sigset(number, handler)));
	print_state(number);
	CHECK_EQUAL(sighold(number), 0);
	print_state(number);
	touch();
	CHECK_EQUAL(sigrelse(number), 0);
	CHECK_EQUAL(sigignore(number), 0);
	print_state(number);
	raise(number);
	printf("sigset %s\n", name_of(sigset(number, SIG_DFL)));
}

static void test_errors(void)
{
	static const int wrong[] = {0, 65, SIGKILL, 33};
	for (size_t i = 0; i < sizeof(wrong) / sizeof(*wrong); i++) {
		errno = 0;
		printf("%d: %s", wrong[i], name_of(sysv_signal(wrong[i], handler)));
		printf(" %s", name_of(bsd_signal(wrong[i], handler)));
		printf(" %s", name_of(sigset(wrong[i], handler)));
		printf(" %d %d", siginterrupt(wrong[i], 1), sigignore(wrong[i]));
		printf(" errno %d\n", errno);
	}
}

/* A signal that only the call's own mask lets in, and one after which nothing is blocked anew. */
static void test_epoll(void)
{
	sigset_t all, wait, after;
	struct epoll_event *events = (void *)map_anonymous(1);
	struct epoll_event *volatile nowhere = (void *)16;
	const struct timespec limit = {5, 0}, none = {0, 1000};
	int ends[2], set = epoll_create1(EPOLL_CLOEXEC);
	struct epoll_event event = {.events = EPOLLIN, .data.u32 = 7};
	CHECK(set >= 0 && pipe(ends) == 0);
	CHECK_EQUAL(epoll_ctl(set, EPOLL_CTL_ADD, ends[0], &event), 0);
	CHECK(bsd_signal(SIGUSR2, handler) == SIG_DFL);
	sigfillset(&all);
	sigfillset(&wait);
	sigdelset(&wait, SIGUSR2);
	CHECK_EQUAL(sigprocmask(SIG_SETMASK, &all, NULL), 0);
	for (int second = 0; second < 2; second++) {
		raise(SIGUSR2);
		errno = 0;
		int result = second ? epoll_pwait2(set, events, 4, &limit, &wait)
				    : epoll_pwait(set, events, 4, 5000, &wait);
		printf("interrupted %d errno %d\n", result, errno);
		result = second ? epoll_pwait2(set, events, 4, &none, &wait)
				: epoll_pwait(set, events, 4, 1, &wait);
		printf("timeout %d\n", result);
		CHECK_EQUAL(write(ends[1], "e", 1), 1);
		result = second ? epoll_pwait2(set, events, 4, NULL, &wait)
				: epoll_pwait(set, events, 4, -1, &wait);
		printf("ready %d %u\n", result, events[0].data.u32);
		CHECK_EQUAL(read(ends[0], pages, 1), 1);
		errno = 0;
		result = second ? epoll_pwait2(set, nowhere, 4, &none, &wait)
				: epoll_pwait(set, nowhere, 4, 0, &wait);
		printf("nothing for a bad address %d errno %d\n", result, errno);
		result = (int)syscall(second ? SYS_epoll_pwait2 : SYS_epoll_pwait, set, events, 4,
				      0, &wait, 3);
		printf("bad size %d errno %d\n", result, errno);
	}
	CHECK_EQUAL(sigprocmask(SIG_SETMASK, NULL, &after), 0);
	printf("all blocked again: %d\n", !memcmp(&after, &all, sizeof(long)));
}

int main(void)
{
	setvbuf(stdout, NULL, _IOFBF, 1 << 20);
	pages = map_anonymous(PAGES);
	for (size_t i = 0; i < NUMBERS; i++) {
		test_signal_calls(numbers[i]);
		test_sigset(numbers[i]);
	}
	test_errors();
	test_epoll();
	printf("handled %d\n", handled);
	return 0;
}
