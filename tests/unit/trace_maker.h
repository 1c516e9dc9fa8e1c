/* Traces made by hand, in memory: for tests of what reads them. Out of memory ends the test. */
#ifndef COWSPY_TESTS_TRACE_MAKER_H
#define COWSPY_TESTS_TRACE_MAKER_H

#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "cowspy/trace.h"

struct maker {
	char *bytes;
	size_t length, capacity;
};

static inline void *maker_room(struct maker *maker, size_t size)
{
	void *room;
	if (maker->capacity - maker->length < size) {
		maker->capacity = (maker->capacity + size) * 2;
		maker->bytes = realloc(maker->bytes, maker->capacity);
		if (!maker->bytes)
			abort();
	}
	room = maker->bytes + maker->length;
	memset(room, 0, size);
	maker->length += size;
	return room;
}

static inline struct trace_header *maker_start(struct maker *maker, uint32_t pid, uint64_t time)
{
	struct trace_header *header;
	*maker = (struct maker){0};
	header = maker_room(maker, sizeof(*header));
	header->magic = TRACE_MAGIC;
	header->version = TRACE_VERSION;
	header->header_size = sizeof(*header);
	header->page_size = 4096;
	header->machine = 62;
	header->pid = pid;
	header->parent = 1;
	header->time = time;
	header->wall_time = 1700000000000000000 + time;
	return header;
}

static inline struct trace_header *maker_header(struct maker *maker)
{
	return (struct trace_header *)maker->bytes;
}

/* The next record, with this many bytes behind its fixed part. Valid until the next one. */
static inline void *maker_record(struct maker *maker, uint32_t type, size_t fixed, size_t variable)
{
	size_t size = (fixed + variable + 7) & ~(size_t)7;
	struct trace_record *record = maker_room(maker, size);
	record->type = type;
	record->size = (uint32_t)size;
	return record;
}

static inline void maker_program(struct maker *maker, const char *exe, const char *name)
{
	size_t length = strlen(exe), name_length = strlen(name);
	struct trace_program *record = maker_record(maker, TRACE_PROGRAM, sizeof(*record),
						    length + 5 + name_length);
	record->head = sizeof(*record);
	record->exe_length = (uint32_t)length;
	record->arguments_length = 5;
	record->name_length = (uint32_t)name_length;
	memcpy(record + 1, exe, length);
	memcpy((char *)(record + 1) + length, "a\0-b", 5);
	memcpy((char *)(record + 1) + length + 5, name, name_length);
}

static inline void maker_module(struct maker *maker, uint32_t action, uint64_t start, uint64_t end,
				uint64_t offset, const char *path)
{
	size_t length = strlen(path);
	struct trace_module *record = maker_record(maker, TRACE_MODULE, sizeof(*record),
						   20 + length);
	record->head = sizeof(*record);
	record->action = action;
	record->start = start;
	record->end = end;
	record->offset = offset;
	record->build_id_length = 20;
	record->path_length = (uint32_t)length;
	memset(record + 1, 0xab, 20);
	memcpy((char *)(record + 1) + 20, path, length);
}

static inline void maker_mapping(struct maker *maker, uint32_t action, uint64_t start, uint64_t end,
				 const char *path)
{
	size_t length = path ? strlen(path) : 0;
	struct trace_mapping *record = maker_record(maker, TRACE_MAPPING, sizeof(*record), length);
	record->head = sizeof(*record);
	record->action = action;
	record->start = start;
	record->end = end;
	record->protection = 3;
	record->path_length = (uint32_t)length;
	if (path)
		memcpy(record + 1, path, length);
}

static inline void maker_stack(struct maker *maker, uint32_t id, const uint64_t *addresses,
			       uint32_t depth)
{
	struct trace_stack *record = maker_record(maker, TRACE_STACK, sizeof(*record),
						  depth * sizeof(*addresses));
	record->id = id;
	record->depth = depth;
	memcpy(record->addresses, addresses, depth * sizeof(*addresses));
}

static inline struct trace_first_write *maker_write(struct maker *maker, uint64_t page,
						    uint32_t stack, uint32_t epoch, uint8_t kind)
{
	struct trace_first_write *record = maker_record(maker, TRACE_FIRST_WRITE, sizeof(*record),
							0);
	record->page = page;
	record->time = maker_header(maker)->time + maker->length;
	record->stack = stack;
	record->thread = 7;
	record->epoch = epoch;
	record->kind = kind;
	return record;
}

static inline void maker_fork(struct maker *maker, uint64_t time, uint32_t child, uint32_t epoch)
{
	struct trace_fork *record = maker_record(maker, TRACE_FORK, sizeof(*record), 0);
	record->time = time;
	record->child = child;
	record->epoch = epoch;
	record->done = time + 1;
}

static inline void maker_label(struct maker *maker, const char *string)
{
	size_t length = strlen(string);
	struct trace_label *record = maker_record(maker, TRACE_LABEL, sizeof(*record), length);
	record->head = sizeof(*record);
	record->length = (uint32_t)length;
	memcpy(record + 1, string, length);
}

/* A snapshot of one mapping with one run of pages. */
static inline void maker_snapshot(struct maker *maker, uint64_t start, uint64_t end, char letter,
				  uint64_t pages)
{
	struct trace_snapshot *head = maker_record(maker, TRACE_SNAPSHOT, sizeof(*head), 0);
	struct trace_snapshot_mapping *mapping;
	struct trace_snapshot_runs *runs;
	struct trace_snapshot_end *last;

	head->snapshot = 1;
	head->reason = TRACE_REASON_EXIT;
	mapping = maker_record(maker, TRACE_SNAPSHOT_MAPPING, sizeof(*mapping), 6);
	mapping->head = sizeof(*mapping);
	mapping->snapshot = 1;
	mapping->start = start;
	mapping->end = end;
	mapping->path_length = 6;
	mapping->copied = pages;
	mapping->attributed = pages;
	memcpy(mapping + 1, "[heap]", 6);
	runs = maker_record(maker, TRACE_SNAPSHOT_RUNS, sizeof(*runs), sizeof(struct trace_run));
	runs->snapshot = 1;
	runs->count = 1;
	runs->runs[0].start = start;
	runs->runs[0].pages = (uint64_t)(unsigned char)letter << 56 | pages;
	last = maker_record(maker, TRACE_SNAPSHOT_END, sizeof(*last), 0);
	last->snapshot = 1;
	last->copied = pages;
	last->attributed = pages;
}

/* What watching had taken at that snapshot. */
static inline void maker_cost(struct maker *maker, uint64_t faults)
{
	struct trace_cost *record = maker_record(maker, TRACE_COST, sizeof(*record), 0);
	record->snapshot = 1;
	record->faults = faults;
}

/* How many bytes changed of the page of one first write. */
static inline struct trace_changes *maker_change(struct maker *maker, uint32_t event,
						 uint32_t bytes)
{
	struct trace_changes *record = maker_record(maker, TRACE_CHANGES, sizeof(*record),
						    sizeof(struct trace_change));
	record->count = 1;
	record->changes[0] = (struct trace_change){event, bytes};
	return record;
}

static inline struct trace_children *maker_children(struct maker *maker, const char *command,
						    uint64_t processes, uint64_t copied)
{
	struct trace_children *record = maker_record(maker, TRACE_CHILDREN, sizeof(*record), 0);
	record->processes = processes;
	record->copied = copied;
	record->most = copied;
	for (size_t i = 0; command[i] && i < sizeof(record->command); i++)
		record->command[i] = command[i];
	return record;
}

static inline void maker_close(struct maker *maker, uint32_t reason)
{
	struct trace_close *record = maker_record(maker, TRACE_CLOSE, sizeof(*record), 0);
	record->time = maker_header(maker)->time + maker->length;
	record->reason = reason;
}

/* A file with these bytes; the maker is empty afterwards. */
static inline int maker_file(struct maker *maker)
{
	int fd = memfd_create("trace", MFD_CLOEXEC);
	if (fd < 0 || write(fd, maker->bytes, maker->length) != (ssize_t)maker->length)
		abort();
	free(maker->bytes);
	*maker = (struct maker){0};
	return fd;
}

#endif
