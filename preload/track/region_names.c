#include "region_names.h"

#include <errno.h>
#include <string.h>

#include "base/memory.h"
#include "regions.h"
#include "trace_regions.h"

/* Open addressing; three quarters are ever used, so that a search ends. */
#define SLOTS 8192u
#define NAMES_MOST (SLOTS / 4 * 3)

static char **slots;
static unsigned used;

static unsigned hash(const char *name, size_t length)
{
	unsigned value = 2166136261u;
	for (size_t i = 0; i < length; i++)
		value = (value ^ (unsigned char)name[i]) * 16777619u;
	return value;
}

static const char *keep(const char *name, size_t length)
{
	if (!slots && !(slots = memory_map(SLOTS * sizeof(*slots))))
		return NULL;
	unsigned slot = hash(name, length) % SLOTS;
	for (; slots[slot]; slot = (slot + 1) % SLOTS)
		if (!strncmp(slots[slot], name, length) && !slots[slot][length])
			return slots[slot];
	char *kept = used < NAMES_MOST ? memory_alloc(length + 1) : NULL;
	if (!kept)
		return NULL;
	memcpy(kept, name, length);
	used++;
	return slots[slot] = kept;
}

int region_names_set(uintptr_t start, uintptr_t end, const char *name, size_t length)
{
	struct region *region = region_find(start, true);
	if (!region || region->start >= end)
		return -ENOENT;
	const char *kept = NULL;
	if (length && !(kept = keep(name, length < REGION_NAME_MOST ? length : REGION_NAME_MOST)))
		return -ENOMEM;
	if (region_split(start) || region_split(end))
		return -ENOMEM;
	for (region = region_find(start, true); region && region->start < end;
	     region = region_find(region->end, true))
		region->name = kept;
	if (kept)
		trace_region_name(start, end, kept);
	return 0;
}
