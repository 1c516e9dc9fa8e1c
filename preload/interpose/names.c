#include "names.h"

#include <stdbool.h>

#include "base/sys.h"
#include "calls.h"
#include "track/lock.h"
#include "track/region_names.h"

/* The characters that the kernel takes: prctl(2). */
static bool is_allowed(char c)
{
	return c >= ' ' && c <= '~' && c != '\\' && c != '`' && c != '$' && c != '[' && c != ']';
}

/* Its length; -1 when the kernel would refuse it. */
static int copy_name(char *name, const char *from)
{
	for (int length = 0; length <= REGION_NAME_MOST; length++) {
		if (sys_copy(&name[length], from + length, 1))
			return -1;
		if (!name[length])
			return length;
		if (!is_allowed(name[length]))
			return -1;
	}
	return -1;
}

void names_observe(const long args[6])
{
	uintptr_t start = (uintptr_t)args[2], end = start + page_ceil((uintptr_t)args[3]);
	char name[REGION_NAME_MOST + 1];
	int length = args[4] ? copy_name(name, (const char *)args[4]) : 0;
	sigmask_t mask;

	if (length < 0 || start & ~PAGE_MASK || end < start)
		return;
	lock_write_masked(&mask);
	region_names_set(start, end, name, (size_t)length);
	lock_write_end_masked(&mask);
}
