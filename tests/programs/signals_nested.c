/*
 * A signal that is raised while its own handler runs waits until that handler has returned, or has
 * left by siglongjmp; what a handler blocks is unblocked by its return. For every signal alike,
 * nested in each other on an alternate stack.
 */
#include "check.h"

#include <setjmp.h>
#include <ucontext.h>

#define STACK_SIZE ((size_t)512 << 10)
#define MOST_CALLS 200
#define AUTODISARM (1u << 31) /* SS_AUTODISARM of linux/signal.h */

static const int numbers[] = {SIGHUP,  SIGILL,    SIGTRAP, SIGABRT, SIGBUS,  SIGFPE,
			      SIGUSR1, SIGSEGV,   SIGUSR2, SIGPIPE, SIGALRM, SIGTERM,
			      SIGCHLD, SIGSTKFLT, SIGSYS,  35,      SIGPWR,  SIGXCPU,
			      SIGURG,  SIGWINCH,  63,      64};
#define NUMBERS (sizeof(numbers) / sizeof(*numbers))

static char *pages;
static size_t next_page;
static int depth, calls, again;
static sigjmp_buf out;

static void touch(void)
{
	pages[next_page++ % 512 * CHECK_PAGE] = 1;
}

static void print_mask(const char *what, const sigset_t *set)
{
	printf("%*s%s:", depth, "", what);
	for (int number = 1; number < 65; number++)
		if (sigismember(set, number) == 1)
			printf(" %d", number);
	puts("");
}

static void print_blocked(void)
{
	sigset_t set;
	CHECK_EQUAL(sigprocmask(SIG_BLOCK, NULL, &set), 0);
	print_mask("blocked", &set);
	CHECK_EQUAL(sigpending(&set), 0);
	print_mask("pending", &set);
}

static void enter(int number, const siginfo_t *info)
{
	printf("%*senter %d code %d\n", depth++, "", number, info->si_code);
	touch();
	if (++calls > MOST_CALLS)
		check_fail(__FILE__, __LINE__, "no end of calls");
	print_blocked();
}

static void leave(int number)
{
	printf("%*sleave %d\n", --depth, "", number);
}

static void set(int number, void (*handler)(int, siginfo_t *, void *), int flags, bool all)
{
	struct sigaction action = {.sa_sigaction = handler, .sa_flags = SA_SIGINFO | flags};
	if (all)
		sigfillset(&action.sa_mask);
	CHECK_EQUAL(sigaction(number, &action, NULL), 0);
}

/* Itself, by raise, kill and sigqueue: it comes once more, or thrice for a real-time signal. */
static void raising(int number, siginfo_t *info, void *context)
{
	ucontext_t *interrupted = context;
	enter(number, info);
	print_mask("context", &interrupted->uc_sigmask);
	if (again-- > 0) {
		raise(number);
		kill(getpid(), number);
		sigqueue(getpid(), number, (union sigval){.sival_int = 1});
		print_blocked();
	}
	leave(number);
}

static void test_itself(int number, int flags, bool all)
{
	printf("itself: %d flags %x all %d\n", number, (unsigned)flags, all);
	set(number, raising, flags, all);
	calls = 0;
	again = 2;
	raise(number);
	print_blocked();
	signal(number, SIG_DFL);
}

/* Each handler raises the next signal: the stack of handlers is as deep as there are signals. */
static void chain(int number, siginfo_t *info, void *context)
{
	(void)context;
	enter(number, info);
	for (size_t i = 0; i + 1 < NUMBERS; i++)
		if (numbers[i] == number)
			raise(numbers[i + 1]);
	if (again-- > 0)
		raise(numbers[0]);
	leave(number);
}

static void test_chain(void)
{
	puts("chain");
	for (size_t i = 0; i < NUMBERS; i++)
		set(numbers[i], chain, SA_ONSTACK, false);
	calls = 0;
	again = 1;
	CHECK_EQUAL(raise(numbers[0]), 0);
	print_blocked();
	for (size_t i = 0; i < NUMBERS; i++)
		signal(numbers[i], SIG_DFL);
}

static void jumping(int number, siginfo_t *info, void *context)
{
	(void)context;
	enter(number, info);
	if (again-- > 0)
		raise(number);
	siglongjmp(out, 1);
}

static void test_jump(int number)
{
	printf("jump: %d\n", number);
	set(number, jumping, SA_ONSTACK, false);
	calls = 0;
	again = 2;
	if (!sigsetjmp(out, 1))
		raise(number);
	depth = 0;
	print_blocked();
	signal(number, SIG_DFL);
}

/* What a handler writes into the context's mask is in force when it has returned. */
static void masking(int number, siginfo_t *info, void *context)
{
	ucontext_t *interrupted = context;
	enter(number, info);
	sigaddset(&interrupted->uc_sigmask, SIGSEGV);
	sigaddset(&interrupted->uc_sigmask, SIGSYS);
	sigaddset(&interrupted->uc_sigmask, SIGUSR2);
	leave(number);
}

static void test_context(void)
{
	sigset_t empty;
	puts("context");
	set(SIGUSR1, masking, 0, false);
	raise(SIGUSR1);
	touch();
	print_blocked();
	sigemptyset(&empty);
	CHECK_EQUAL(sigprocmask(SIG_SETMASK, &empty, NULL), 0);
}

static stack_t stack = {.ss_size = STACK_SIZE};

static void print_stack(const char *what, const stack_t *shown)
{
	printf("%s: %s size %zu flags %x\n", what, shown->ss_sp == stack.ss_sp ? "ours" : "other",
	       shown->ss_size, (unsigned)shown->ss_flags);
}

static void looking(int number, siginfo_t *info, void *context)
{
	const ucontext_t *interrupted = context;
	stack_t now;
	enter(number, info);
	print_stack("context", &interrupted->uc_stack);
	CHECK_EQUAL(sigaltstack(NULL, &now), 0);
	print_stack("now", &now);
	if (again-- > 0)
		raise(number);
	leave(number);
}

/* The alternate stack, also one that is taken away while a handler runs on it. */
static void test_stack(unsigned flags)
{
	const stack_t with = {.ss_sp = stack.ss_sp, .ss_size = STACK_SIZE, .ss_flags = (int)flags};
	stack_t now;
	printf("stack: flags %x\n", flags);
	CHECK_EQUAL(sigaltstack(&with, NULL), 0);
	set(SIGUSR2, looking, SA_ONSTACK | SA_NODEFER, false);
	again = flags ? 0 : 2;
	raise(SIGUSR2);
	CHECK_EQUAL(sigaltstack(NULL, &now), 0);
	print_stack("after", &now);
	signal(SIGUSR2, SIG_DFL);
}

int main(void)
{
	setvbuf(stdout, NULL, _IOFBF, 1 << 20);
	pages = map_anonymous(512);
	touch();
	stack.ss_sp = malloc(STACK_SIZE);
	CHECK_EQUAL(sigaltstack(&stack, NULL), 0);
	for (size_t i = 0; i < NUMBERS; i++) {
		test_itself(numbers[i], SA_ONSTACK, false);
		test_itself(numbers[i], 0, true);
		test_itself(numbers[i], SA_ONSTACK | SA_NODEFER, false);
		test_jump(numbers[i]);
	}
	test_chain();
	test_context();
	test_stack(0);
	test_stack(AUTODISARM);
	return 0;
}
