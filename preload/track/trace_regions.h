/* Regions of the registry as records of the trace. Signals blocked. */
#ifndef COWSPY_TRACK_TRACE_REGIONS_H
#define COWSPY_TRACK_TRACE_REGIONS_H

#include "regions.h"

void trace_region(const struct region *region);

/* All that is tracked now: a trace begins. */
void trace_regions_all(void);

/* What its owner calls it. */
void trace_region_name(uintptr_t start, uintptr_t end, const char *name);

/* Flags of struct trace_mapping. */
uint32_t trace_region_flags(const struct region *region);

#endif
