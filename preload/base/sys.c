#include "sys.h"

#include <errno.h>
#include <signal.h>
#include <time.h>

sigmask_t sys_faults = SIGMASK(SIGSEGV) | SIGMASK(SIGSYS);

static int write_all(int fd, const char *next, size_t length)
{
	while (length) {
		long n = sys_call3(SYS_write, fd, next, length);
		if (n == -EINTR)
			continue;
		if (n <= 0)
			return n ? (int)n : -EIO;
		next += n;
		length -= (size_t)n;
	}
	return 0;
}

void sys_take_signal_away(int signal)
{
	const sigmask_t set = SIGMASK(signal);
	const struct timespec now = {0};
	sys_call4(SYS_rt_sigtimedwait, &set, 0, &now, sizeof(set));
}

/* What a failing write raises is not for the program, unless its own was pending before. */
int sys_write_all(int fd, const void *data, size_t length)
{
	const sigmask_t raised = SIGMASK(SIGXFSZ) | SIGMASK(SIGPIPE);
	sigmask_t mask, pending = 0;
	sys_call4(SYS_rt_sigprocmask, SIG_BLOCK, &raised, &mask, sizeof(raised));
	sys_call2(SYS_rt_sigpending, &pending, sizeof(pending));
	int error = write_all(fd, data, length);
	int signal = error == -EFBIG ? SIGXFSZ : error == -EPIPE ? SIGPIPE : 0;
	if (signal && !(pending & SIGMASK(signal)))
		sys_take_signal_away(signal);
	sys_sigmask_restore(&mask);
	return error;
}

int (*sys_clock)(clockid_t, struct timespec *);

uint64_t sys_now(void)
{
	struct timespec now = {0};
	if (sys_clock)
		sys_clock(CLOCK_MONOTONIC, &now);
	else
		sys_call2(SYS_clock_gettime, CLOCK_MONOTONIC, &now);
	return (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec;
}
