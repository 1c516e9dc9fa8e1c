/*
 * The address space of a process as the page draws it: disjoint regions, each with runs of pages
 * that were first written alike. Single-threaded.
 */
#ifndef COWSPY_TOOLS_HTML_REGIONS_H
#define COWSPY_TOOLS_HTML_REGIONS_H

#include "model.h"

/* A mapping of the last snapshot, or one that was gone by then, in ascending order. */
struct region {
	const char *name; /* NULL: anonymous */
	uint64_t start, end;
	uint32_t flags;            /* as in struct trace_mapping */
	uint32_t limit;            /* enum trace_limit_reason */
	uint32_t snapshot_mapping; /* its place in the snapshot's list; MODEL_NONE: gone */
};

/* First writes of neighbouring pages that have all of this in common. */
struct region_run {
	uint64_t start, pages; /* pages of the region */
	uint64_t time;         /* of the first; the others are hardly later */
	uint32_t region, stack, epoch;
	uint8_t kind, cause;
	bool latest; /* these pages were not written first again later on */
};

struct regions {
	struct region *list;
	size_t count, capacity;
	struct region_run *runs; /* of each region: the latest by address, then the earlier ones */
	size_t run_count, run_capacity;
};

/* Times that differ by less than `quantum` count as alike. False without memory. */
bool regions_collect(struct regions *regions, const struct model_process *process,
		     uint64_t quantum);
void regions_free(struct regions *regions);

#endif
