/*
 * A child that its parent traces (PTRACE_TRACEME, then PTRACE_SEIZE of one that runs): memory read
 * and written from outside, system calls stepped through. Like every tracer that means no harm it
 * passes signals on, those too that are ours: SIGSEGV of first writes, SIGSYS of calls.
 */
#include "check.h"

#include <sys/ptrace.h>
#include <sys/user.h>

#define PAGES 8

static char *pages;

static int work(void)
{
	raise(SIGSTOP);
	for (int i = 0; i < PAGES; i++)
		pages[i * CHECK_PAGE] = (char)('a' + i);
	raise(SIGSTOP);
	/* What the parent has written into pages that we may not have touched. */
	int wrong = pages[4 * CHECK_PAGE + 8] != 'p';
	return wrong ? 1 : 7;
}

static int next_stop(pid_t child)
{
	int status;
	CHECK_EQUAL(waitpid(child, &status, 0), child);
	return status;
}

/* Waits until the child stops itself or ends, passing every other signal on. */
static int await_stop(pid_t child, int request)
{
	for (;;) {
		int status = next_stop(child);
		if (!WIFSTOPPED(status) || WSTOPSIG(status) == SIGSTOP)
			return status;
		int signal = WSTOPSIG(status) == (SIGTRAP | 0x80) ? 0 : WSTOPSIG(status);
		CHECK_EQUAL(ptrace(request, child, NULL, signal), 0);
	}
}

static int run_to_stop(pid_t child, int request)
{
	CHECK_EQUAL(ptrace(request, child, NULL, 0), 0);
	return await_stop(child, request);
}

static void look_at(pid_t child)
{
	char text[PAGES + 1] = "";
	for (int i = 0; i < PAGES; i++)
		text[i] = (char)ptrace(PTRACE_PEEKDATA, child, pages + i * CHECK_PAGE, NULL);
	for (int i = 0; i < PAGES; i++)
		text[i] = text[i] ? text[i] : '.';
	printf("memory: %s\n", text);
}

static void test_traceme(int request)
{
	fflush(stdout);
	pid_t child = fork();
	CHECK(child >= 0);
	if (!child) {
		CHECK_EQUAL(ptrace(PTRACE_TRACEME, 0, NULL, NULL), 0);
		_exit(work());
	}
	CHECK(WIFSTOPPED(await_stop(child, PTRACE_CONT)));
	CHECK_EQUAL(ptrace(PTRACE_SETOPTIONS, child, NULL, PTRACE_O_TRACESYSGOOD), 0);
	look_at(child);
	/* Into pages that are closed, one of which the child writes itself later. */
	CHECK_EQUAL(ptrace(PTRACE_POKEDATA, child, pages + 4 * CHECK_PAGE + 8, (void *)'p'), 0);
	CHECK_EQUAL(ptrace(PTRACE_POKEDATA, child, pages + 5 * CHECK_PAGE, (void *)'q'), 0);
	look_at(child);
	CHECK(WIFSTOPPED(run_to_stop(child, request)));
	look_at(child);
	int status = run_to_stop(child, request);
	printf("ended: %d\n", WIFEXITED(status) ? WEXITSTATUS(status) : -WTERMSIG(status));
}

static void test_seize(void)
{
	int ends[2];
	CHECK_EQUAL(pipe(ends), 0);
	fflush(stdout);
	pid_t child = fork();
	CHECK(child >= 0);
	if (!child) {
		char *own = map_anonymous(PAGES), byte;
		CHECK_EQUAL(read(ends[0], &byte, 1), 1);
		for (int i = 0; i < PAGES; i++)
			own[i * CHECK_PAGE] = byte;
		_exit(byte);
	}
	CHECK_EQUAL(ptrace(PTRACE_SEIZE, child, NULL, NULL), 0);
	CHECK_EQUAL(ptrace(PTRACE_INTERRUPT, child, NULL, NULL), 0);
	int status = next_stop(child);
	printf("interrupted: %d\n", WIFSTOPPED(status) && status >> 16 == PTRACE_EVENT_STOP);
	CHECK_EQUAL(ptrace(PTRACE_CONT, child, NULL, NULL), 0);
	CHECK_EQUAL(write(ends[1], "5", 1), 1);
	for (status = next_stop(child); WIFSTOPPED(status); status = next_stop(child))
		CHECK_EQUAL(ptrace(PTRACE_CONT, child, NULL, WSTOPSIG(status)), 0);
	printf("seized, ended: %d\n", WEXITSTATUS(status));
	close(ends[0]);
	close(ends[1]);
}

static void test_detach(void)
{
	fflush(stdout);
	pid_t child = fork();
	CHECK(child >= 0);
	if (!child) {
		CHECK_EQUAL(ptrace(PTRACE_TRACEME, 0, NULL, NULL), 0);
		raise(SIGSTOP);
		memset(pages, 'd', PAGES * CHECK_PAGE);
		_exit(pages[3 * CHECK_PAGE] == 'd' ? 9 : 1);
	}
	CHECK(WIFSTOPPED(await_stop(child, PTRACE_CONT)));
	CHECK_EQUAL(ptrace(PTRACE_DETACH, child, NULL, NULL), 0);
	printf("detached, ended: %d\n", wait_for(child));
}

int main(void)
{
	pages = map_anonymous(PAGES);
	pages[2 * CHECK_PAGE] = 'X';
	test_traceme(PTRACE_CONT);
	test_traceme(PTRACE_SYSCALL);
	test_seize();
	test_detach();
	return 0;
}
