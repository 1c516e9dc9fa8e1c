#include "probe.h"

#include <errno.h>

#include "base/sys.h"

/*
 * Only what our unwinder calls is looked at, which has no descriptors like these; and they fit into
 * the tables of those who watch calls in between (ThreadSanitizer: 2^20).
 */
#define READ_END 0xffffe
#define WRITE_END 0xfffff

static long probe_open(int *ends)
{
	ends[0] = READ_END;
	ends[1] = WRITE_END;
	return 0;
}

/* One byte from anywhere: can it be read? */
static long probe_write(const void *from, unsigned long length)
{
	char byte;
	return length && sys_copy(&byte, from, 1) ? -EFAULT : (long)length;
}

/*
 * Always empty, as after the last question. (libunwind empties the pipe before each, and goes on
 * for as long as errno is EINTR, which may be the program's: a success would not end that.)
 */
static long probe_read(void)
{
	return -EAGAIN;
}

bool probe_call(long nr, const long args[6], long *result)
{
	int fd = (int)args[0];
	if (nr == SYS_pipe2)
		*result = probe_open((int *)args[0]);
	else if (nr == SYS_write && fd == WRITE_END)
		*result = probe_write((const void *)args[1], (unsigned long)args[2]);
	else if (nr == SYS_read && fd == READ_END)
		*result = probe_read();
	else if (nr == SYS_close && (fd == READ_END || fd == WRITE_END))
		*result = 0;
	else
		return false;
	return true;
}
