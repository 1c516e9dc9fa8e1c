/*
 * A program with its own SIGSEGV handler, recovering by siglongjmp and by repairing: it sees
 * exactly its own faults, with its own flags and mask, while tracked pages fault in between.
 */
#include "check.h"

#include <setjmp.h>
#include <ucontext.h>

static sigjmp_buf recover;
static volatile int calls;
static volatile int last_code;
static void *volatile last_address;
static volatile bool on_alternate_stack, usr2_blocked, segv_blocked;
static char *tracked;
static char alternate[65536];

static void remember(siginfo_t *info)
{
	sigset_t mask;
	char here;
	calls++;
	last_code = info->si_code;
	last_address = info->si_addr;
	on_alternate_stack = &here >= alternate && &here < alternate + sizeof(alternate);
	sigprocmask(SIG_SETMASK, NULL, &mask);
	usr2_blocked = sigismember(&mask, SIGUSR2);
	segv_blocked = sigismember(&mask, SIGSEGV);
}

static void jumping(int signal, siginfo_t *info, void *context)
{
	(void)signal;
	(void)context;
	remember(info);
	tracked[calls * CHECK_PAGE] = 'h'; /* a first write inside of the program's handler */
	siglongjmp(recover, 1);
}

static void repairing(int signal, siginfo_t *info, void *context)
{
	(void)signal;
	(void)context;
	remember(info);
	uintptr_t page = (uintptr_t)info->si_addr & ~(uintptr_t)(CHECK_PAGE - 1);
	CHECK_EQUAL(mprotect((void *)page, CHECK_PAGE, PROT_READ | PROT_WRITE), 0);
}

static void simple(int signal)
{
	CHECK_EQUAL(signal, SIGSEGV);
	calls++;
	siglongjmp(recover, 1);
}

static void poke(volatile char *address)
{
	*address = 'x';
}

static void install(void (*handler)(int, siginfo_t *, void *), int flags)
{
	struct sigaction action = {.sa_sigaction = handler, .sa_flags = SA_SIGINFO | flags}, now;
	sigemptyset(&action.sa_mask);
	sigaddset(&action.sa_mask, SIGUSR2);
	CHECK_EQUAL(sigaction(SIGSEGV, &action, NULL), 0);
	/* What was set is what is read back, whoever really holds the signal. */
	CHECK_EQUAL(sigaction(SIGSEGV, NULL, &now), 0);
	CHECK(now.sa_sigaction == handler);
	CHECK_EQUAL(now.sa_flags & ~0x04000000 /* SA_RESTORER */, action.sa_flags);
	CHECK_EQUAL(sigismember(&now.sa_mask, SIGUSR2), 1);
	CHECK_EQUAL(sigismember(&now.sa_mask, SIGSEGV), 0);
}

static void expect_fault(volatile char *address, int code, int flags)
{
	int before = calls;
	if (!sigsetjmp(recover, 1)) {
		poke(address);
		CHECK(!"reached: the fault did not come");
	}
	CHECK_EQUAL(calls, before + 1);
	CHECK_EQUAL(last_code, code);
	CHECK((char *)last_address == address);
	CHECK_EQUAL(on_alternate_stack, !!(flags & SA_ONSTACK));
	CHECK_EQUAL(usr2_blocked, 1);
	CHECK_EQUAL(segv_blocked, !(flags & SA_NODEFER));
	sigset_t mask;
	sigprocmask(SIG_SETMASK, NULL, &mask);
	CHECK_EQUAL(sigismember(&mask, SIGUSR2), 0);
	CHECK_EQUAL(sigismember(&mask, SIGSEGV), 0);
}

int main(void)
{
	char *pages = map_anonymous(16);
	tracked = map_anonymous(16);
	stack_t stack = {.ss_sp = alternate, .ss_size = sizeof(alternate)}, stack_now;
	CHECK_EQUAL(sigaltstack(&stack, NULL), 0);
	CHECK_EQUAL(sigaltstack(NULL, &stack_now), 0);
	CHECK(stack_now.ss_sp == alternate && stack_now.ss_size == sizeof(alternate));

	struct sigaction before;
	CHECK_EQUAL(sigaction(SIGSEGV, NULL, &before), 0);
	CHECK(before.sa_handler == SIG_DFL && !before.sa_flags);

	static const int flags[] = {0, SA_ONSTACK, SA_NODEFER,
				    SA_ONSTACK | SA_NODEFER | SA_RESTART};
	char *closed = pages + 2 * CHECK_PAGE;
	CHECK_EQUAL(mprotect(closed, CHECK_PAGE, PROT_READ), 0);
	for (size_t i = 0; i < sizeof(flags) / sizeof(flags[0]); i++) {
		install(jumping, flags[i]);
		poke(pages + (4 + i) * CHECK_PAGE); /* ours, not the program's */
		expect_fault(NULL, SEGV_MAPERR, flags[i]);
		expect_fault(closed + 5, SEGV_ACCERR, flags[i]);
	}
	CHECK_EQUAL(calls, 8);

	install(repairing, 0);
	poke(closed + 7);
	CHECK_EQUAL(calls, 9);
	CHECK_EQUAL(closed[7], 'x');
	CHECK_EQUAL(closed[5], 0);

	/* SA_RESETHAND: once, then the default again. */
	install(jumping, SA_RESETHAND);
	expect_fault(NULL, SEGV_MAPERR, 0);
	CHECK_EQUAL(sigaction(SIGSEGV, NULL, &before), 0);
	CHECK(before.sa_handler == SIG_DFL);

	/* signal() returns what was there. */
	CHECK(signal(SIGSEGV, simple) == SIG_DFL);
	CHECK(signal(SIGSEGV, simple) == simple);
	int count = calls;
	if (!sigsetjmp(recover, 1))
		poke(NULL);
	CHECK_EQUAL(calls, count + 1);

	/* A program that blocks SIGSEGV sees it blocked; its first writes still work. */
	sigset_t all, old, now;
	sigfillset(&all);
	CHECK_EQUAL(sigprocmask(SIG_BLOCK, &all, &old), 0);
	poke(pages + 10 * CHECK_PAGE);
	CHECK_EQUAL(sigprocmask(SIG_SETMASK, NULL, &now), 0);
	CHECK_EQUAL(sigismember(&now, SIGSEGV), 1);
	CHECK_EQUAL(sigprocmask(SIG_SETMASK, &old, &now), 0);
	CHECK_EQUAL(sigismember(&now, SIGSEGV), 1);
	CHECK_EQUAL(sigprocmask(SIG_SETMASK, NULL, &now), 0);
	CHECK_EQUAL(sigismember(&now, SIGSEGV), 0);

	/* Sent, not a fault: the handler sees it too; blocked it stays pending. */
	count = calls;
	if (!sigsetjmp(recover, 1))
		raise(SIGSEGV);
	CHECK_EQUAL(calls, count + 1);
	CHECK_EQUAL(sigprocmask(SIG_BLOCK, &all, &old), 0);
	raise(SIGSEGV);
	CHECK_EQUAL(calls, count + 1);
	CHECK_EQUAL(sigpending(&now), 0);
	CHECK_EQUAL(sigismember(&now, SIGSEGV), 1);
	if (!sigsetjmp(recover, 0))
		sigprocmask(SIG_SETMASK, &old, NULL);
	CHECK_EQUAL(calls, count + 2);

	signal(SIGSEGV, SIG_IGN);
	raise(SIGSEGV);
	CHECK_EQUAL(calls, count + 2);

	expect_pages(pages, "..C.CCCC..C.....");
	/* Six itself, page 2 among them once the program had opened it, and the handlers that it got. */
	expect_stack("poke", "fill", 15);
	expect_stack("jumping", "fill", 9);
	puts("own handler: sees its own faults only");
	return 0;
}
