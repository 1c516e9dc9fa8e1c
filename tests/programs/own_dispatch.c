/*
 * A program that dispatches its system calls itself (Syscall User Dispatch), as emulators do: its
 * handler sees each call, with its selector on, and answers in the kernel's place.
 */
#include "check.h"

#include <sys/prctl.h>
#include <sys/syscall.h>
#include <ucontext.h>

#define SET_DISPATCH 59
#define ALLOW 0
#define BLOCK 1

static volatile char selector;
static volatile int seen;

/* Returns with the selector on "allow": its own sigreturn is a call as well. */
static void on_call(int signal, siginfo_t *info, void *context)
{
	greg_t *registers = ((ucontext_t *)context)->uc_mcontext.gregs;
	selector = ALLOW;
	seen += signal == SIGSYS && info->si_code == 2 && info->si_syscall == SYS_getppid;
	registers[REG_RAX] = 4711;
}

static long call(long number)
{
	long result = number;
	__asm__ volatile("syscall" : "+a"(result) : : "rcx", "r11", "memory");
	return result;
}

int main(void)
{
	struct sigaction action = {.sa_sigaction = on_call, .sa_flags = SA_SIGINFO};
	char *pages = map_anonymous(64);
	memset(pages, 1, 10 * CHECK_PAGE);
	CHECK_EQUAL(sigaction(SIGSYS, &action, NULL), 0);
	if (prctl(SET_DISPATCH, 1, 0, 0, &selector)) {
		puts("this kernel has no such dispatch");
		return 0;
	}
	for (int i = 0; i < 5; i++) {
		selector = BLOCK;
		long answer = call(SYS_getppid);
		CHECK_EQUAL(selector, ALLOW);
		pages[(20 + i) * CHECK_PAGE] = 2;
		CHECK_EQUAL(answer, 4711);
	}
	CHECK_EQUAL(prctl(SET_DISPATCH, 0, 0, 0, 0), 0);
	CHECK_EQUAL(call(SYS_getppid), getppid());
	CHECK_EQUAL(read(file_of_pages(30), pages + 30 * CHECK_PAGE, 1), 0);
	printf("dispatched: %d\n", seen);
	return 0;
}
