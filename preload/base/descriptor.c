#include "base/descriptor.h"

#include <fcntl.h>
#include <sys/resource.h>

#include "base/sys.h"

/* Lower where limits are lower. */
static const int wanted[] = {1000, 200, 50, 10};

static int highest(void)
{
	struct rlimit limit;
	return sys_call4(SYS_prlimit64, 0, RLIMIT_NOFILE, 0, &limit) ? -1 : (int)limit.rlim_cur - 1;
}

int descriptor_move_up(int fd)
{
	long high = -1;
	for (unsigned i = 0; i < sizeof(wanted) / sizeof(wanted[0]) && high < 0; i++)
		high = sys_call3(SYS_fcntl, fd, F_DUPFD_CLOEXEC, wanted[i]);
	if (high < 0)
		high = sys_call3(SYS_fcntl, fd, F_DUPFD_CLOEXEC, highest());
	if (high < 0)
		return fd;
	sys_call1(SYS_close, fd);
	return (int)high;
}
