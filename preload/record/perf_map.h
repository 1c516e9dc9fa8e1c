/*
 * The names of generated code that a just-in-time compiler writes to /tmp/perf-PID.map, kept beside
 * the trace: /tmp is soon lost.
 */
#ifndef COWSPY_RECORD_PERF_MAP_H
#define COWSPY_RECORD_PERF_MAP_H

#include <stdint.h>

/*
 * Copy this process's map, if it has one that nobody else can have written, to `to`, which must not
 * exist yet. `since`: seconds since 1970; an older map is of an earlier process. Signals blocked;
 * handlers may call.
 */
void perf_map_keep(const char *to, uint64_t since);

#endif
