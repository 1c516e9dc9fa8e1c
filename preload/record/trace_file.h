/*
 * The file under a trace: places for records in memory that is the file.
 *
 * Any thread and the fault handler may append, with all signals blocked but the faults; nothing
 * waits but for the one that makes the file longer. Whatever happens to the file, the program runs
 * on: an access that fails lands in trace_file_rescue, and recording stops, with one line.
 */
#ifndef COWSPY_RECORD_TRACE_FILE_H
#define COWSPY_RECORD_TRACE_FILE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <ucontext.h>

#include "cowspy/trace.h"

/* Bytes behind the fixed part of a record. */
struct trace_part {
	const void *data;
	size_t size;
};

/* Take over a new, empty file, open for reading and writing. 0 or -errno. */
int trace_file_begin(int fd, const struct trace_header *header);

/*
 * Append a record: its fixed part, which begins with a struct trace_record that need not be filled,
 * then the others. False when it is not in the file.
 */
bool trace_file_append(enum trace_type type, void *fixed, size_t size,
		       const struct trace_part *parts, unsigned part_count);

/* The same for the end of the file, for which there is always room. */
bool trace_file_append_last(enum trace_type type, void *fixed, size_t size);

/* A first write came too late for the file. */
void trace_file_lose(void);
uint64_t trace_file_lost(void);

/* Give back what was allocated ahead. Records may still come. */
void trace_file_trim(void);

/* Forget the file without touching it: it is the parent's. */
void trace_file_child(void);

/*
 * For a fault that nobody owns: if this thread is writing a record, point the interrupted context
 * to where that is given up, and return true: return from the handler then.
 */
bool trace_file_rescue(ucontext_t *interrupted);

/* Our descriptor, or -1: the program must neither close nor replace it. */
int trace_file_descriptor(void);

/* Give its number up: the next time we need one, we open the file again. */
void trace_file_descriptor_leave(void);

#endif
