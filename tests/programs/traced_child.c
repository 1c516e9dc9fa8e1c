/*
 * A child that asks to be traced (PTRACE_TRACEME), under a parent that knows what the child does and
 * takes each stop for the next thing on its list: no signal and no system call of anyone else's.
 */
#include "check.h"

#include <sys/ptrace.h>
#include <sys/syscall.h>
#include <sys/user.h>

#define PAGES 8

static char *pages;

static void handler(int number)
{
	pages[number % PAGES * CHECK_PAGE] = 'h';
}

static void child(void)
{
	CHECK_EQUAL(ptrace(PTRACE_TRACEME, 0, NULL, NULL), 0);
	raise(SIGSTOP);
	memset(pages, 'c', (PAGES - 1) * CHECK_PAGE);
	syscall(SYS_getppid);
	raise(SIGUSR2);
	syscall(SYS_getuid);
	_exit(pages[0] == 'c' && pages[SIGUSR2 % PAGES * CHECK_PAGE] == 'h' ? 5 : 1);
}

/* False after the last one that the child makes before it ends, and a report is written. */
static bool print_call(pid_t pid)
{
	struct user_regs_struct registers;
	CHECK_EQUAL(ptrace(PTRACE_GETREGS, pid, NULL, &registers), 0);
	printf("call %llu\n", registers.orig_rax);
	return registers.orig_rax != SYS_getuid;
}

/* Until the child ends: every stop. Signals that are not expected are not passed on. */
static void follow(pid_t pid, int request)
{
	int status;
	bool print = true;
	while (waitpid(pid, &status, 0) == pid && WIFSTOPPED(status)) {
		int signal = WSTOPSIG(status);
		if (signal == (SIGTRAP | 0x80) && print)
			print = print_call(pid);
		else if (signal != (SIGTRAP | 0x80))
			printf("signal %d\n", signal);
		CHECK_EQUAL(ptrace(request, pid, NULL, signal == SIGUSR2 ? signal : 0), 0);
	}
	printf("ended %d\n", WIFEXITED(status) ? WEXITSTATUS(status) : -WTERMSIG(status));
}

static void test(int request)
{
	int status;
	fflush(stdout);
	pid_t pid = fork();
	CHECK(pid >= 0);
	if (!pid)
		child();
	CHECK_EQUAL(waitpid(pid, &status, 0), pid);
	CHECK(WIFSTOPPED(status) && WSTOPSIG(status) == SIGSTOP);
	CHECK_EQUAL(ptrace(PTRACE_SETOPTIONS, pid, NULL, PTRACE_O_TRACESYSGOOD), 0);
	CHECK_EQUAL(ptrace(request, pid, NULL, NULL), 0);
	follow(pid, request);
}

int main(void)
{
	pages = map_anonymous(PAGES);
	pages[0] = 'p';
	signal(SIGUSR2, handler);
	test(PTRACE_CONT);
	test(PTRACE_SYSCALL);
	return 0;
}
