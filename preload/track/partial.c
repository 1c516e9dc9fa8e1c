/* Calls that failed half way. */
#include "base/sys.h"
#include "guard.h"
#include "mappings.h"
#include "observe/maps.h"

bool mappings_all_armed(uintptr_t start, uintptr_t end)
{
	while (start < end) {
		const struct region *region = region_find(start, false);
		if (!region || !region_armed(region))
			return false;
		start = region->end;
	}
	return true;
}

/* The first address from `at` on that is not mapped; `end` when all is. */
struct hole {
	uintptr_t at, end;
};

static int skip_mapped(const struct maps_line *line, void *context)
{
	struct hole *hole = context;
	if (line->end <= hole->at)
		return 0;
	if (line->start > hole->at)
		return 1;
	hole->at = line->end < hole->end ? line->end : hole->end;
	return hole->at == hole->end;
}

/*
 * mprotect changes mapping after mapping and ends at the first hole. Where there is none, the
 * kernel lacked memory: then all is put back as the program knows it.
 */
void mappings_protect_failed(uintptr_t start, uintptr_t end, int protection)
{
	struct hole hole = {start, end};
	if (page_floor(start) != start)
		return;
	maps_walk_self(skip_mapped, &hole);
	if (hole.at > start && hole.at < end)
		mappings_protected(start, hole.at, protection);
	struct region *region = region_find(start, true);
	for (; region && region->start < end; region = region_find(region->end, true))
		guard_apply(region, region->start, region->end);
}
