/*
 * Reading of trace files: records one by one, whatever the file holds.
 *
 * Single-threaded. Nothing in the file is trusted: memory is one buffer of a fixed size, every
 * record handed out has been checked against include/cowspy/trace.h, and the work is proportional
 * to the size of the file. The file may grow or shrink meanwhile.
 */
#ifndef COWSPY_TOOLS_TRACE_READER_H
#define COWSPY_TOOLS_TRACE_READER_H

#include <stdbool.h>
#include <stdint.h>

#include "cowspy/trace.h"

/* What was wrong with a file. */
struct trace_damage {
	const char *what; /* of the first place; NULL: nothing was */
	uint64_t offset;  /* of the first place */
	uint64_t records; /* damaged alone and left out */
	uint64_t pending; /* begun and never completed: not damage, the process may still run */
	uint64_t unknown; /* of a type that is not known here: of a newer version */
	bool cut;         /* what lies behind `cut_offset` could not be reached */
	uint64_t cut_offset;
};

struct trace_reader {
	int fd; /* of the caller */
	struct trace_header header;
	uint64_t offset; /* of the record that comes next */
	uint64_t size;   /* of the file, as far as it is known to reach */
	unsigned char *buffer;
	uint64_t buffer_offset;
	uint64_t buffer_length;
	struct trace_damage damage;
};

/*
 * Begin with the file behind fd. 0, -ENOMSG when it is no trace, -EPROTONOSUPPORT when it is of a
 * newer version, or -errno. On an error nothing has to be ended.
 */
int trace_reader_start(struct trace_reader *reader, int fd);
void trace_reader_end(struct trace_reader *reader);

/* The next complete, known and sound record, until the next call; NULL at the end. */
const struct trace_record *trace_reader_next(struct trace_reader *reader);

/* Bytes behind the fixed part: `offset` of them past its `head`. */
static inline const char *trace_tail(const void *record, uint32_t head, uint32_t offset)
{
	return (const char *)record + head + offset;
}

#endif
