/*
 * The mappings of a process, as /proc/PID/maps lists them.
 *
 * Any thread may call these functions, the signal handlers too: raw system calls, no lock, no
 * allocation, about 4.3 KiB of stack. The list is read in pieces, so mappings that change meanwhile
 * may be missed or seen half changed; each line alone is consistent.
 */
#ifndef COWSPY_OBSERVE_MAPS_H
#define COWSPY_OBSERVE_MAPS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct maps_line {
	uintptr_t start, end;
	bool readable, writable, executable;
	bool shared;
	bool truncated; /* the path was longer than the buffer and is cut */
	uint64_t offset;
	unsigned device_major, device_minor;
	uint64_t inode;
	const char *path; /* not terminated; valid during the call only; empty for anonymous */
	size_t path_length;
};

/* Return nonzero to stop. */
typedef int (*maps_line_fn)(const struct maps_line *line, void *context);

/*
 * A private mapping of memory that belongs to processes: not shared, and none of the frames that
 * the kernel shows all of them ([vdso], [vvar], ...), where page states mean nothing.
 */
bool maps_is_private_memory(const struct maps_line *line);

/* Parse one line without its newline. False when it is malformed. */
bool maps_parse(const char *text, size_t length, struct maps_line *line);

/*
 * Call fn for each line of an open maps file from its current position on. Returns how many
 * malformed lines were skipped, or -errno.
 */
int maps_walk(int fd, maps_line_fn fn, void *context);

/* The same for this process. */
int maps_walk_self(maps_line_fn fn, void *context);

#endif
