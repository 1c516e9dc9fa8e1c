/*
 * Names of generated code, from the file /tmp/perf-PID.map that a just-in-time compiler writes for
 * perf: lines "START SIZE NAME", numbers in hexadecimal. Single-threaded.
 */
#ifndef COWSPY_TOOLS_PERF_MAP_H
#define COWSPY_TOOLS_PERF_MAP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "intern.h"
#include "ranges.h"

struct perf_map {
	struct ranges code; /* values: indices of names */
	const char **names;
	size_t count, capacity;
};

/*
 * The map in a file that was last written at `since` (seconds since 1970) or later: an older one
 * belongs to an earlier process of that pid. It has to be a plain file of the caller's or of
 * root's. Never NULL but without memory; a map without names when there is no such file.
 */
struct perf_map *perf_map_read(const char *path, int64_t since, struct intern *strings);
void perf_map_free(struct perf_map *map);

/* NULL when no code of the map is there. */
const char *perf_map_find(const struct perf_map *map, uint64_t address);

#endif
