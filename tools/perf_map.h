/*
 * Names of generated code, from the file /tmp/perf-PID.map that a just-in-time compiler writes for
 * perf: lines "START SIZE NAME", numbers in hexadecimal. Single-threaded.
 */
#ifndef COWSPY_TOOLS_PERF_MAP_H
#define COWSPY_TOOLS_PERF_MAP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "intern.h"
#include "ranges.h"

struct perf_map {
	struct ranges code; /* values: indices of names */
	const char **names;
	size_t count, capacity;
};

/* Where the map of a process is kept: beside its trace. To be freed; NULL: it has no such place. */
char *perf_map_beside(const char *folder, const char *trace);

/* Which process a file /tmp/perf-PID.map has to be of: anybody may make such files. */
struct perf_map_owner {
	uid_t uid;     /* whose trace it is; maps of root are believed, too */
	int64_t since; /* seconds since 1970: an older map is of an earlier process of that pid */
};

/*
 * Keep the map of a process that did not do so itself, because it was killed, beside its trace.
 */
void perf_map_keep(const char *folder, const char *trace, uint32_t pid,
		   const struct perf_map_owner *owner);

/*
 * The map in a plain file that its owner alone may write; owner NULL: in a copy, which is as good as
 * the trace. Never NULL but without memory; a map without names when there is no such file.
 */
struct perf_map *perf_map_read(const char *path, const struct perf_map_owner *owner,
			       struct intern *strings);
void perf_map_free(struct perf_map *map);

/* NULL when no code of the map is there. */
const char *perf_map_find(const struct perf_map *map, uint64_t address);

#endif
