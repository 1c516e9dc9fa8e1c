/* Signals that wait: blocked, ignored, waited for. */
#include "check.h"

#include <pthread.h>
#include <sys/signalfd.h>

static char *pages;
static size_t next_page;
static volatile int calls, last_code;
static volatile long last_value;

static void touch(void)
{
	pages[next_page++ % 512 * CHECK_PAGE] = 1;
}

static void count(int number, siginfo_t *info, void *context)
{
	(void)number;
	(void)context;
	touch();
	calls++;
	last_code = info->si_code;
	last_value = info->si_code == SI_QUEUE ? info->si_value.sival_int : 0;
}

static void print_pending(void)
{
	sigset_t set;
	CHECK_EQUAL(sigpending(&set), 0);
	printf("pending:");
	for (int number = 1; number < 65; number++)
		if (sigismember(&set, number) == 1)
			printf(" %d", number);
	puts("");
}

static void test_blocked(int number)
{
	struct sigaction action = {.sa_sigaction = count, .sa_flags = SA_SIGINFO};
	sigset_t set;
	calls = 0;
	CHECK_EQUAL(sigaction(number, &action, NULL), 0);
	sigemptyset(&set);
	sigaddset(&set, number);
	CHECK_EQUAL(sigprocmask(SIG_BLOCK, &set, NULL), 0);
	sigqueue(getpid(), number, (union sigval){.sival_int = 42});
	touch();
	printf("%d blocked: %d calls\n", number, calls);
	print_pending();
	raise(number);
	CHECK_EQUAL(sigprocmask(SIG_UNBLOCK, &set, NULL), 0);
	printf("%d unblocked: %d calls, code %d value %ld\n", number, calls, last_code, last_value);
	print_pending();
}

static void test_wait(int number)
{
	const struct timespec limit = {2, 0}, now = {0, 0};
	siginfo_t info;
	sigset_t set;
	sigemptyset(&set);
	sigaddset(&set, number);
	CHECK_EQUAL(sigprocmask(SIG_BLOCK, &set, NULL), 0);
	kill(getpid(), number);
	touch();
	printf("sigtimedwait %d:", number);
	printf(" %d", sigtimedwait(&set, &info, &limit));
	printf(" code %d\n", info.si_code);
	errno = 0;
	printf("nothing more: %d", sigtimedwait(&set, NULL, &now));
	printf(" %d\n", errno);
	CHECK_EQUAL(sigprocmask(SIG_UNBLOCK, &set, NULL), 0);
}

static void *wait_in_thread(void *argument)
{
	int number = *(int *)argument, got = 0;
	sigset_t set;
	sigemptyset(&set);
	sigaddset(&set, number);
	CHECK_EQUAL(sigwait(&set, &got), 0);
	touch();
	printf("thread waited for %d: %d\n", number, got);
	return NULL;
}

static void test_wait_in_thread(int number)
{
	pthread_t thread;
	sigset_t set;
	sigemptyset(&set);
	sigaddset(&set, number);
	CHECK_EQUAL(pthread_sigmask(SIG_BLOCK, &set, NULL), 0);
	CHECK_EQUAL(pthread_create(&thread, NULL, wait_in_thread, &number), 0);
	usleep(50000);
	kill(getpid(), number);
	CHECK_EQUAL(pthread_join(thread, NULL), 0);
	CHECK_EQUAL(pthread_sigmask(SIG_UNBLOCK, &set, NULL), 0);
}

static void test_signalfd(int number)
{
	struct signalfd_siginfo info;
	sigset_t set;
	sigemptyset(&set);
	sigaddset(&set, number);
	CHECK_EQUAL(sigprocmask(SIG_BLOCK, &set, NULL), 0);
	int fd = signalfd(-1, &set, SFD_NONBLOCK | SFD_CLOEXEC);
	CHECK(fd >= 0);
	raise(number);
	CHECK_EQUAL(read(fd, &info, sizeof(info)), sizeof(info));
	printf("signalfd: %u code %d\n", info.ssi_signo, info.ssi_code);
	close(fd);
	CHECK_EQUAL(sigprocmask(SIG_UNBLOCK, &set, NULL), 0);
}

int main(void)
{
	const int numbers[] = {SIGUSR2, SIGUSR1, SIGSEGV, SIGSYS, SIGRTMIN};
	setvbuf(stdout, NULL, _IOFBF, 1 << 20);
	pages = map_anonymous(512);
	touch();
	for (size_t i = 0; i < sizeof(numbers) / sizeof(*numbers); i++) {
		test_blocked(numbers[i]);
		test_wait(numbers[i]);
		test_wait_in_thread(numbers[i]);
	}
	test_signalfd(SIGUSR2);
	test_signalfd(SIGUSR1);
	return 0;
}
