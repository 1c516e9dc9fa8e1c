#include "base/descriptor.h"

#include <fcntl.h>

#include "base/sys.h"

/* Lower where limits are lower. */
static const int wanted[] = {1000, 200, 50, 10};

int descriptor_move_up(int fd)
{
	for (unsigned i = 0; i < sizeof(wanted) / sizeof(wanted[0]); i++) {
		long high = sys_call3(SYS_fcntl, fd, F_DUPFD_CLOEXEC, wanted[i]);
		if (high >= 0) {
			sys_call1(SYS_close, fd);
			return (int)high;
		}
	}
	return fd;
}
