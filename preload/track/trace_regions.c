#include "trace_regions.h"

#include <string.h>

#include "record/trace.h"

#define SAME(ours, traced) _Static_assert((int)(ours) == (int)(traced), "the trace's numbers")
SAME(REGION_PROTECTED, TRACE_LIMIT_NONE);
SAME(REGION_NO_VMA, TRACE_LIMIT_NO_VMA);
SAME(REGION_STACK, TRACE_LIMIT_STACK);
SAME(REGION_HUGETLB, TRACE_LIMIT_HUGETLB);
SAME(REGION_ASYNCHRONOUS, TRACE_LIMIT_ASYNCHRONOUS);
SAME(REGION_SECCOMP, TRACE_LIMIT_SECCOMP);
SAME(REGION_NO_NET, TRACE_LIMIT_NO_NET);
SAME(REGION_USER, TRACE_LIMIT_USER);
SAME(REGION_MODE, TRACE_LIMIT_MODE);
SAME(REGION_TRACED, TRACE_LIMIT_TRACED);
SAME(KIND_UNKNOWN, TRACE_KIND_UNKNOWN);
SAME(KIND_FILE, TRACE_KIND_FILE);
SAME(KIND_ZERO, TRACE_KIND_ZERO);
SAME(KIND_FILL, TRACE_KIND_FILL);
SAME(KIND_FORK, TRACE_KIND_FORK);
SAME(KIND_REUSE, TRACE_KIND_REUSE);
SAME(CAUSE_WRITE, TRACE_CAUSE_WRITE);
SAME(CAUSE_SYSCALL, TRACE_CAUSE_SYSCALL);
SAME(CAUSE_LOCK, TRACE_CAUSE_LOCK);
SAME(CAUSE_POPULATE, TRACE_CAUSE_POPULATE);

uint32_t trace_region_flags(const struct region *region)
{
	return (region->file ? TRACE_FILE : 0) | (region->inherited ? TRACE_BEFORE_FORK : 0) |
	       (region->shared_since_fork ? TRACE_SHARED_SINCE_FORK : 0);
}

void trace_region_name(uintptr_t start, uintptr_t end, const char *name)
{
	const struct maps_line line = {
		.start = start, .end = end, .path = name, .path_length = strlen(name)};
	trace_mapping_name(&line);
}

void trace_region(const struct region *region)
{
	const struct trace_range range = {
		.start = region->start,
		.end = region->end,
		.protection = region->protection,
		.flags = trace_region_flags(region),
		.limit = region->limit,
	};
	trace_mapping_add(&range);
	if (region->name)
		trace_region_name(region->start, region->end, region->name);
}

void trace_regions_all(void)
{
	struct region region;
	for (uintptr_t next = 0; region_copy_next(next, &region); next = region.end)
		trace_region(&region);
}
