/*
 * The program's own handlers, with each combination of flags, on its own faults, on sent signals,
 * and nested: each sees what it would see alone, while tracked pages fault all the time.
 */
#include "check.h"

#include <setjmp.h>
#include <sys/syscall.h>
#include <ucontext.h>

static char *tracked, *closed;
static sigjmp_buf recover;
static volatile int calls, depth;
static size_t next_page;
static char *alternate;
static size_t alternate_size;

static void touch(void)
{
	tracked[next_page++ % 16384 * CHECK_PAGE] = 1;
}

static bool on_alternate(void)
{
	char here;
	return &here >= alternate && &here < alternate + alternate_size;
}

static bool is_blocked(int number)
{
	sigset_t set;
	sigprocmask(SIG_BLOCK, NULL, &set);
	return sigismember(&set, number);
}

static void describe(int number, const siginfo_t *info)
{
	struct sigaction now;
	stack_t stack;
	sigaction(number, NULL, &now);
	sigaltstack(NULL, &stack);
	printf("  %d code %d at %ld, %s stack (flags %d), blocked %d %d %d, %s\n", number,
	       info->si_code, info->si_code > 0 ? (long)((char *)info->si_addr - closed) : 0,
	       on_alternate() ? "alternate" : "own", stack.ss_flags, is_blocked(SIGSEGV),
	       is_blocked(SIGUSR2), is_blocked(SIGHUP),
	       now.sa_handler == SIG_DFL ? "reset" : "kept");
	touch();
}

static void jumping(int number, siginfo_t *info, void *context)
{
	(void)context;
	describe(number, info);
	siglongjmp(recover, 1);
}

static void returning(int number, siginfo_t *info, void *context)
{
	(void)context;
	describe(number, info);
	if (info->si_code > 0)
		CHECK_EQUAL(mprotect(closed, CHECK_PAGE, PROT_READ | PROT_WRITE), 0);
}

static void install(int number, void (*handler)(int, siginfo_t *, void *), int flags)
{
	struct sigaction action = {.sa_sigaction = handler, .sa_flags = SA_SIGINFO | flags};
	sigemptyset(&action.sa_mask);
	sigaddset(&action.sa_mask, SIGHUP);
	CHECK_EQUAL(sigaction(number, &action, NULL), 0);
}

static void fault(void)
{
	*(volatile char *)(closed + 5) = 1;
}

static void test_flags(int flags)
{
	printf("flags %x\n", (unsigned)flags);
	install(SIGSEGV, jumping, flags);
	if (!sigsetjmp(recover, 1))
		fault();
	printf("  blocked afterwards %d\n", is_blocked(SIGSEGV));
	install(SIGSEGV, returning, flags);
	fault();
	CHECK_EQUAL(mprotect(closed, CHECK_PAGE, PROT_NONE), 0);
	install(SIGSEGV, returning, flags);
	kill(getpid(), SIGSEGV);
	install(SIGUSR2, returning, flags);
	raise(SIGUSR2);
	signal(SIGSEGV, SIG_DFL);
	signal(SIGUSR2, SIG_DFL);
}

static void jump_only(int number)
{
	(void)number;
	calls++;
	touch();
	siglongjmp(recover, 1);
}

static void test_many_jumps(void)
{
	calls = 0;
	signal(SIGSEGV, jump_only);
	for (volatile int i = 0; i < 10000; i++)
		if (!sigsetjmp(recover, 1))
			fault();
	signal(SIGSEGV, SIG_DFL);
	printf("jumped %d times, blocked %d\n", calls, is_blocked(SIGSEGV));
}

/* A handler whose own writes fault: on tracked memory, and on the program's closed memory. */
static void nesting(int number, siginfo_t *info, void *context)
{
	(void)number;
	(void)context;
	for (int i = 0; i < 20; i++)
		touch();
	printf("  depth %d at %ld\n", ++depth, (long)((char *)info->si_addr - closed));
	if (depth < 5)
		closed[depth * CHECK_PAGE] = 1;
	CHECK_EQUAL(mprotect((void *)((uintptr_t)info->si_addr & -(uintptr_t)CHECK_PAGE),
			     CHECK_PAGE, PROT_READ | PROT_WRITE),
		    0);
	depth--;
}

static void test_nested(int flags)
{
	printf("nested %x\n", (unsigned)flags);
	install(SIGSEGV, nesting, SA_NODEFER | flags);
	fault();
	CHECK_EQUAL(mprotect(closed, 8 * CHECK_PAGE, PROT_NONE), 0);
	signal(SIGSEGV, SIG_DFL);
}

/* Ignored: what was sent has no effect. */
static void test_ignored(void)
{
	signal(SIGSEGV, SIG_IGN);
	kill(getpid(), SIGSEGV);
	raise(SIGSEGV);
	touch();
	puts("ignored");
	signal(SIGSEGV, SIG_DFL);
}

/* A child dies; its parent says how. */
static void test_death(const char *how)
{
	fflush(stdout);
	pid_t child = fork();
	if (!child) {
		sigset_t set;
		sigemptyset(&set);
		sigaddset(&set, SIGSEGV);
		touch();
		if (!strcmp(how, "ignored"))
			signal(SIGSEGV, SIG_IGN);
		if (!strcmp(how, "blocked"))
			sigprocmask(SIG_BLOCK, &set, NULL);
		if (!strcmp(how, "blocked and handled")) {
			install(SIGSEGV, jumping, 0);
			sigprocmask(SIG_BLOCK, &set, NULL);
		}
		if (!strcmp(how, "killed"))
			kill(getpid(), SIGSEGV);
		if (!strcmp(how, "in its handler"))
			install(SIGSEGV, nesting, 0);
		fault();
		_exit(1);
	}
	int status;
	CHECK_EQUAL(waitpid(child, &status, 0), child);
	printf("%s: signal %d\n", how, WIFSIGNALED(status) ? WTERMSIG(status) : -1);
}

static void *stack_of(size_t size)
{
	alternate_size = size;
	alternate = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	CHECK(alternate != MAP_FAILED);
	return alternate;
}

int main(void)
{
	static const int flags[] = {0, SA_ONSTACK, SA_NODEFER, SA_RESETHAND, SA_RESTART};
	setvbuf(stdout, NULL, _IOFBF, 1 << 20);
	tracked = map_anonymous(16384);
	closed = map_anonymous(8);
	CHECK_EQUAL(mprotect(closed, 8 * CHECK_PAGE, PROT_NONE), 0);
	for (int round = 0; round < 2; round++) {
		for (unsigned i = 0; i < 16; i++) {
			int all = 0;
			for (unsigned j = 0; j < 4; j++)
				all |= i >> j & 1 ? flags[j + 1] : 0;
			test_flags(all);
		}
		test_nested(round ? SA_ONSTACK : 0);
		stack_t stack = {.ss_sp = stack_of(65536), .ss_size = 65536};
		if (!round)
			CHECK_EQUAL(sigaltstack(&stack, NULL), 0);
	}
	test_many_jumps();
	test_ignored();
	test_death("plain");
	test_death("ignored");
	test_death("blocked");
	test_death("blocked and handled");
	test_death("killed");
	test_death("in its handler");
	return 0;
}
