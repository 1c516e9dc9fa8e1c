#include "sys.h"

#include <errno.h>
#include <time.h>

sigmask_t sys_faults = SIGMASK(SIGSEGV) | SIGMASK(SIGSYS);

int sys_write_all(int fd, const void *data, size_t length)
{
	const char *next = data;
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
