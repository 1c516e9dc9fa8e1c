#include "ranges.h"

#include <search.h>
#include <stdlib.h>

/*
 * A balanced tree (tsearch of glibc) in which overlapping ranges compare as equal: disjoint ones
 * have an order, and a search finds whatever overlaps.
 */
static int compare(const void *left, const void *right)
{
	const struct range *a = left, *b = right;
	if (a->end <= b->start)
		return -1;
	return a->start >= b->end;
}

const struct range *ranges_any(const struct ranges *ranges, uint64_t start, uint64_t end)
{
	const struct range key = {.start = start, .end = end};
	void *const *node = start < end ? tfind(&key, &ranges->root, compare) : NULL;
	return node ? *node : NULL;
}

const struct range *ranges_find(const struct ranges *ranges, uint64_t address)
{
	return address == UINT64_MAX ? NULL : ranges_any(ranges, address, address + 1);
}

static bool insert(struct ranges *ranges, uint64_t start, uint64_t end, uint32_t value)
{
	struct range *range = malloc(sizeof(*range));
	if (!range)
		return false;
	*range = (struct range){.start = start, .end = end, .value = value};
	if (tsearch(range, &ranges->root, compare))
		return true;
	free(range);
	return false;
}

bool ranges_clear(struct ranges *ranges, uint64_t start, uint64_t end)
{
	const struct range *found;
	while ((found = ranges_any(ranges, start, end))) {
		struct range old = *found;
		tdelete(found, &ranges->root, compare);
		free((void *)found);
		if (old.start < start && !insert(ranges, old.start, start, old.value))
			return false;
		if (old.end > end && !insert(ranges, end, old.end, old.value))
			return false;
	}
	return true;
}

bool ranges_set(struct ranges *ranges, uint64_t start, uint64_t end, uint32_t value)
{
	return ranges_clear(ranges, start, end) && insert(ranges, start, end, value);
}

void ranges_free(struct ranges *ranges)
{
	tdestroy(ranges->root, free);
	ranges->root = NULL;
}
