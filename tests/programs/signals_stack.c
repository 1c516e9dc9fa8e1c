/*
 * Alternate signal stacks as the program sets them, down to the smallest, and coroutines on mapped
 * stacks that signals interrupt.
 */
#include "check.h"

#include <pthread.h>
#include <setjmp.h>
#include <sys/time.h>
#include <ucontext.h>

static char *tracked;
static size_t next_page;
static volatile int calls, wrong;
static char *stack_base;
static size_t stack_size;

static void touch(void)
{
	tracked[next_page++ % 16384 * CHECK_PAGE] = 1;
}

static void print_stack(const char *what)
{
	stack_t stack;
	int result = sigaltstack(NULL, &stack);
	printf("%s: %d flags %d size %zu %s\n", what, result, stack.ss_flags, stack.ss_size,
	       !stack.ss_sp                ? "none"
	       : stack.ss_sp == stack_base ? "ours"
					   : "other");
}

static void set_stack(const char *what, void *base, size_t size, int flags)
{
	stack_t stack = {.ss_sp = base, .ss_size = size, .ss_flags = flags}, old;
	errno = 0;
	int result = sigaltstack(&stack, &old);
	printf("%s: %d %d\n", what, result, errno);
	print_stack("  now");
}

static void small_handler(int number)
{
	char here;
	(void)number;
	calls++;
	wrong += &here < stack_base || &here >= stack_base + stack_size;
	touch();
}

static void try_to_leave(int number)
{
	stack_t stack = {.ss_flags = SS_DISABLE};
	errno = 0;
	int result = sigaltstack(&stack, NULL);
	printf("in handler %d: %d %d\n", number, result, errno);
	print_stack("  there");
}

static void handle(int number, void (*handler)(int), int flags)
{
	struct sigaction action = {.sa_handler = handler, .sa_flags = flags};
	sigemptyset(&action.sa_mask);
	CHECK_EQUAL(sigaction(number, &action, NULL), 0);
}

static void test_settings(void)
{
	print_stack("at first");
	stack_base = malloc(65536);
	set_stack("too small", stack_base, 100, 0);
	set_stack("bad flags", stack_base, 65536, 77);
	set_stack("set", stack_base, 65536, 0);
	set_stack("the same again", stack_base, 65536, 0);
	set_stack("as if on it", stack_base, 65536, SS_ONSTACK);
	handle(SIGUSR2, try_to_leave, SA_ONSTACK);
	raise(SIGUSR2);
	handle(SIGSEGV, try_to_leave, SA_ONSTACK);
	raise(SIGSEGV);
	print_stack("after the handlers");
	set_stack("off", NULL, 0, SS_DISABLE);
	handle(SIGUSR2, SIG_DFL, 0);
	handle(SIGSEGV, SIG_DFL, 0);
}

/* The least that the kernel demands, and 4 KiB for the handler; a canary below. */
static void test_small(void)
{
	size_t least = (size_t)sysconf(_SC_MINSIGSTKSZ);
	char *area = malloc(65536);
	memset(area, 0x5a, 65536);
	stack_size = least + 4096;
	stack_base = area + 32768;
	const stack_t stack = {.ss_sp = stack_base, .ss_size = stack_size};
	CHECK_EQUAL(sigaltstack(&stack, NULL), 0);
	handle(SIGUSR2, small_handler, SA_ONSTACK);
	handle(SIGSEGV, small_handler, SA_ONSTACK);
	handle(SIGUSR1, small_handler, SA_ONSTACK);
	calls = 0;
	for (int i = 0; i < 100; i++) {
		raise(SIGUSR2);
		raise(SIGSEGV);
	}
	raise(SIGUSR1);
	size_t spoilt = 0;
	for (size_t i = 0; i < 32768; i++)
		spoilt += area[i] != 0x5a;
	printf("small stack: %d calls, %d not on it, %zu bytes below spoilt\n", calls, wrong,
	       spoilt);
	handle(SIGUSR2, SIG_DFL, 0);
	handle(SIGSEGV, SIG_DFL, 0);
	handle(SIGUSR1, SIG_DFL, 0);
	set_stack("off", NULL, 0, SS_DISABLE);
}

/* --- coroutines --- */

#define COROUTINES 32
#define COROUTINE_STACK (16 * CHECK_PAGE)
static ucontext_t contexts[COROUTINES], main_context;
static long sums[COROUTINES];
static volatile sig_atomic_t alarms;

static void on_alarm(int number)
{
	(void)number;
	alarms++;
	touch();
}

static long deep(int levels)
{
	volatile char frame[512];
	memset((char *)frame, levels, sizeof(frame));
	return levels ? deep(levels - 1) + frame[7] : frame[9];
}

static void coroutine(int self)
{
	for (int round = 0; round < 200; round++) {
		sums[self] += deep(round % 60);
		touch();
		swapcontext(&contexts[self], &main_context);
	}
}

/* On stacks that one call maps, side by side, without any guard. */
static void test_coroutines(bool with_forks)
{
	char *stacks = mmap(NULL, COROUTINES * COROUTINE_STACK, PROT_READ | PROT_WRITE,
			    MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	CHECK(stacks != MAP_FAILED);
	memset(sums, 0, sizeof(sums));
	handle(SIGALRM, on_alarm, SA_RESTART);
	const struct itimerval fast = {{0, 300}, {0, 300}}, off = {{0, 0}, {0, 0}};
	setitimer(ITIMER_REAL, &fast, NULL);
	for (int i = 0; i < COROUTINES; i++) {
		getcontext(&contexts[i]);
		contexts[i].uc_stack.ss_sp = stacks + i * COROUTINE_STACK;
		contexts[i].uc_stack.ss_size = COROUTINE_STACK;
		contexts[i].uc_link = &main_context;
		makecontext(&contexts[i], (void (*)(void))(uintptr_t)coroutine, 1, i);
	}
	for (int round = 0; round < 200; round++) {
		for (int i = 0; i < COROUTINES; i++)
			swapcontext(&main_context, &contexts[i]);
		if (!with_forks || round % 20)
			continue;
		pid_t child = fork();
		if (!child)
			_exit(0);
		CHECK_EQUAL(wait_for(child), 0);
	}
	setitimer(ITIMER_REAL, &off, NULL);
	long sum = 0;
	for (int i = 0; i < COROUTINES; i++)
		sum += sums[i];
	printf("coroutines%s: %ld\n", with_forks ? " and forks" : "", sum);
	CHECK(alarms > 0);
	handle(SIGALRM, SIG_DFL, 0);
	munmap(stacks, COROUTINES * COROUTINE_STACK);
}

/* Calls of libc, forks and mapping calls on a stack in tracked memory whose pages are fresh. */
static void on_fresh_stack(void)
{
	char *more = map_anonymous(4);
	more[0] = 1;
	CHECK_EQUAL(mprotect(more, CHECK_PAGE, PROT_READ), 0);
	CHECK_EQUAL(mprotect(more, CHECK_PAGE, PROT_READ | PROT_WRITE), 0);
	CHECK(mremap(more, 4 * CHECK_PAGE, 8 * CHECK_PAGE, MREMAP_MAYMOVE) != MAP_FAILED);
	fflush(stdout);
	pid_t child = fork();
	if (!child) {
		deep(50);
		_exit(7);
	}
	CHECK_EQUAL(wait_for(child), 7);
	CHECK_EQUAL(WEXITSTATUS(system("exit 8")), 8);
	puts("calls on a fresh stack");
}

static void test_fresh_stack(void)
{
	static ucontext_t context;
	char *stack = mmap(NULL, 256 * CHECK_PAGE, PROT_READ | PROT_WRITE,
			   MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	CHECK(stack != MAP_FAILED);
	getcontext(&context);
	context.uc_stack.ss_sp = stack;
	context.uc_stack.ss_size = 256 * CHECK_PAGE;
	context.uc_link = &main_context;
	makecontext(&context, on_fresh_stack, 0);
	swapcontext(&main_context, &context);
}

static void *thread_stack(void *unused)
{
	print_stack("in a thread");
	return unused;
}

int main(void)
{
	setvbuf(stdout, NULL, _IOFBF, 1 << 20);
	tracked = map_anonymous(16384);
	touch();
	test_settings();
	test_small();
	test_coroutines(false);
	test_coroutines(true);
	test_fresh_stack();
	pthread_t thread;
	CHECK_EQUAL(pthread_create(&thread, NULL, thread_stack, NULL), 0);
	pthread_join(thread, NULL);
	return 0;
}
