/*
 * What is recorded in the trace of this process, if there is one: each function does nothing where
 * there is none. include/cowspy/trace.h says what the records mean.
 *
 * Any thread and the fault handler may call, with all signals blocked but the faults, unless a
 * function says otherwise. A forked child begins its own trace with its first record.
 */
#ifndef COWSPY_RECORD_TRACE_H
#define COWSPY_RECORD_TRACE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "cowspy/trace.h"
#include "observe/maps.h"
#include "record/journal.h"
#include "record/labels.h"
#include "record/trace_file.h"

/* A mapping as the registry has it. */
struct trace_range {
	uintptr_t start, end;
	uint32_t protection;
	uint32_t flags; /* TRACE_FILE, ... */
	uint32_t limit; /* enum trace_limit_reason */
};

/*
 * At start, outside of handlers: begin this process's trace, if the options ask for one. `mappings`
 * is called whenever a trace begins, to record with trace_mapping_add what is tracked already.
 * 0 or -errno: why there is none.
 */
int trace_start(bool inherited, void (*mappings)(void));

/* One line for the user that says why. */
void trace_say_none(int error);

/* In a forked child. `fork_time` is what the parent records too. */
void trace_child(uint64_t fork_time, uint32_t epoch);

/* Whether there is a trace to append to; begins that of a forked child. Takes any mask. */
bool trace_ready(void);

/* The file's own functions are for the records of snapshots, while trace_ready(). */

void trace_first_write(const struct first_write *write, uint32_t event);
void trace_fork(uint64_t time, uint32_t epoch, uint32_t child);
void trace_given_back(uintptr_t start, uintptr_t end, uint32_t epoch, bool later);
void trace_label(const struct label *label);
void trace_limit(uintptr_t start, uintptr_t end, uint32_t reason);

void trace_mapping_add(const struct trace_range *range);
void trace_mapping_remove(uintptr_t start, uintptr_t end);
void trace_mapping_protect(uintptr_t start, uintptr_t end, uint32_t protection);
void trace_mapping_name(const struct maps_line *line);

/* With the write lock: the file behind fd was mapped at `start` from `offset` on. */
void trace_mapping_file(uintptr_t start, uintptr_t end, int fd, uint64_t offset);

/* Code was mapped or unmapped, perhaps. Takes any mask. */
void trace_modules(void);

/* The process ends, or becomes another program, which may fail. Takes any mask. */
void trace_close(enum trace_reason reason, uint32_t epoch);

#endif
