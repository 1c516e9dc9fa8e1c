#include "trace_reader.h"

#include <errno.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define BUFFER_SIZE (4 * TRACE_RECORD_MOST)

/* ---- bytes ---- */

static uint64_t size_of_file(int fd)
{
	struct stat status;
	return fstat(fd, &status) == 0 && status.st_size > 0 ? (uint64_t)status.st_size : 0;
}

static size_t read_at(int fd, void *buffer, size_t length, uint64_t offset)
{
	size_t done = 0;
	while (done < length) {
		ssize_t got = pread(fd, (char *)buffer + done, length - done,
				    (off_t)(offset + done));
		if (got < 0 && errno == EINTR)
			continue;
		if (got <= 0)
			break;
		done += (size_t)got;
	}
	return done;
}

/* The bytes at an offset, or NULL when the file ends before. At most BUFFER_SIZE. */
static const unsigned char *bytes_at(struct trace_reader *reader, uint64_t offset, size_t length)
{
	if (offset < reader->buffer_offset ||
	    offset - reader->buffer_offset + length > reader->buffer_length) {
		reader->buffer_offset = offset;
		reader->buffer_length = read_at(reader->fd, reader->buffer, BUFFER_SIZE, offset);
		if (length > reader->buffer_length)
			return NULL;
	}
	return reader->buffer + (offset - reader->buffer_offset);
}

/* ---- damage ---- */

static void note_damage(struct trace_reader *reader, uint64_t offset, const char *what)
{
	if (reader->damage.what)
		return;
	reader->damage.what = what;
	reader->damage.offset = offset;
}

static const struct trace_record *cut_here(struct trace_reader *reader, const char *what)
{
	note_damage(reader, reader->offset, what);
	reader->damage.cut = true;
	reader->damage.cut_offset = reader->offset;
	return NULL;
}

/* ---- header ---- */

static bool header_is_sound(const struct trace_header *header)
{
	return header->header_size >= sizeof(*header) && header->header_size <= TRACE_RECORD_MOST &&
	       header->header_size % TRACE_ALIGNMENT == 0;
}

/* What can be repaired is: the records behind are worth more than the header. */
static void repair_header(struct trace_reader *reader)
{
	struct trace_header *header = &reader->header;

	if (!header_is_sound(header)) {
		note_damage(reader, offsetof(struct trace_header, header_size),
			    "no such size of the header");
		header->header_size = sizeof(*header);
	}
	if (header->page_size < 1024 || header->page_size > 1u << 24 ||
	    (header->page_size & (header->page_size - 1))) {
		note_damage(reader, offsetof(struct trace_header, page_size), "no such page size");
		header->page_size = 4096;
	}
	if (header->build_id_length > TRACE_BUILD_ID_MOST) {
		note_damage(reader, offsetof(struct trace_header, build_id_length),
			    "no such length of a build-id");
		header->build_id_length = 0;
	}
}

int trace_reader_start(struct trace_reader *reader, int fd)
{
	size_t length;

	*reader = (struct trace_reader){.fd = fd};
	length = read_at(fd, &reader->header, sizeof(reader->header), 0);
	if (length < sizeof(reader->header.magic) || reader->header.magic != TRACE_MAGIC)
		return -ENOMSG;
	if (length >= offsetof(struct trace_header, header_size) &&
	    reader->header.version > TRACE_VERSION)
		return -EPROTONOSUPPORT;
	reader->buffer = malloc(BUFFER_SIZE);
	if (!reader->buffer)
		return -ENOMEM;
	if (length < sizeof(reader->header))
		note_damage(reader, length, "the file ends within its header");
	repair_header(reader);
	reader->offset = reader->header.header_size;
	reader->size = size_of_file(fd);
	return 0;
}

void trace_reader_end(struct trace_reader *reader)
{
	free(reader->buffer);
	reader->buffer = NULL;
}

/* ---- one record ---- */

/* Whether a variable part of this many bytes fits behind a fixed part of `least` bytes or more. */
static bool fits(const struct trace_record *record, uint64_t head, size_t least, uint64_t variable)
{
	return head >= least && head <= record->size && variable <= record->size - head;
}

static bool is_sound(const struct trace_record *record)
{
	union {
		const struct trace_record *record;
		const struct trace_program *program;
		const struct trace_module *module;
		const struct trace_mapping *mapping;
		const struct trace_stack *stack;
		const struct trace_label *label;
		const struct trace_snapshot_mapping *snapshot_mapping;
		const struct trace_snapshot_runs *runs;
		const struct trace_changes *changes;
	} as = {record};

	switch (record->type) {
	case TRACE_PROGRAM:
		return fits(record, as.program->head, sizeof(*as.program),
			    (uint64_t)as.program->exe_length + as.program->directory_length +
				    as.program->arguments_length + as.program->name_length);
	case TRACE_MODULE:
		return fits(record, as.module->head, sizeof(*as.module),
			    (uint64_t)as.module->build_id_length + as.module->path_length) &&
		       as.module->build_id_length <= TRACE_BUILD_ID_MOST &&
		       as.module->start < as.module->end;
	case TRACE_MAPPING:
		return fits(record, as.mapping->head, sizeof(*as.mapping),
			    as.mapping->path_length) &&
		       as.mapping->start < as.mapping->end;
	case TRACE_STACK:
		return fits(record, sizeof(*as.stack), sizeof(*as.stack),
			    (uint64_t)as.stack->depth * sizeof(uint64_t));
	case TRACE_LABEL: return fits(record, as.label->head, sizeof(*as.label), as.label->length);
	case TRACE_SNAPSHOT_MAPPING:
		return fits(record, as.snapshot_mapping->head, sizeof(*as.snapshot_mapping),
			    as.snapshot_mapping->path_length) &&
		       as.snapshot_mapping->start < as.snapshot_mapping->end;
	case TRACE_SNAPSHOT_RUNS:
		return fits(record, sizeof(*as.runs), sizeof(*as.runs),
			    (uint64_t)as.runs->count * sizeof(struct trace_run));
	case TRACE_CHANGES:
		return fits(record, sizeof(*as.changes), sizeof(*as.changes),
			    (uint64_t)as.changes->count * sizeof(struct trace_change));
	default: return true;
	}
}

/* The size of the fixed part by type; 0: not known here. */
static size_t fixed_size(uint32_t type)
{
	static const size_t sizes[] = {
		[TRACE_PROGRAM] = sizeof(struct trace_program),
		[TRACE_OPTIONS] = sizeof(struct trace_options),
		[TRACE_MODULE] = sizeof(struct trace_module),
		[TRACE_MAPPING] = sizeof(struct trace_mapping),
		[TRACE_STACK] = sizeof(struct trace_stack),
		[TRACE_FIRST_WRITE] = sizeof(struct trace_first_write),
		[TRACE_FORK] = sizeof(struct trace_fork),
		[TRACE_GIVEN_BACK] = sizeof(struct trace_given_back),
		[TRACE_LABEL] = sizeof(struct trace_label),
		[TRACE_LIMIT] = sizeof(struct trace_limit),
		[TRACE_LOST] = sizeof(struct trace_lost),
		[TRACE_SNAPSHOT] = sizeof(struct trace_snapshot),
		[TRACE_SNAPSHOT_MAPPING] = sizeof(struct trace_snapshot_mapping),
		[TRACE_SNAPSHOT_RUNS] = sizeof(struct trace_snapshot_runs),
		[TRACE_SNAPSHOT_END] = sizeof(struct trace_snapshot_end),
		[TRACE_CLOSE] = sizeof(struct trace_close),
		[TRACE_CHANGES] = sizeof(struct trace_changes),
		[TRACE_CHILDREN] = sizeof(struct trace_children),
		[TRACE_COST] = sizeof(struct trace_cost),
	};
	return type < sizeof(sizes) / sizeof(sizes[0]) ? sizes[type] : 0;
}

/* The record of this type and size at an offset, or NULL when it is to be left out. */
static const struct trace_record *load(struct trace_reader *reader, uint64_t offset, uint32_t type,
				       uint32_t size)
{
	size_t least = fixed_size(type);
	const struct trace_record *record = NULL;

	if (type == TRACE_PENDING)
		reader->damage.pending++;
	if (type == TRACE_PENDING || type == TRACE_FILLER)
		return NULL;
	if (!least) {
		reader->damage.unknown++;
		return NULL;
	}
	if (size >= least && size <= TRACE_RECORD_MOST)
		record = (const struct trace_record *)bytes_at(reader, offset, size);
	/* The file may have changed since the size was read. */
	if (record && record->size == size && is_sound(record))
		return record;
	reader->damage.records++;
	note_damage(reader, offset, "a record whose lengths contradict each other");
	return NULL;
}

/*
 * Zeros end the file, and nothing but zeros lies behind: a place is taken before any later one.
 * Data there is what a damaged part cut off.
 */
static void check_rest(struct trace_reader *reader)
{
	unsigned char block[65536];
	uint64_t word = 0;
	off_t at = (off_t)reader->offset;

	while ((at = lseek(reader->fd, at, SEEK_DATA)) >= 0) {
		size_t length = read_at(reader->fd, block, sizeof(block), (uint64_t)at), i = 0;
		while (i < length && !block[i])
			i++;
		if (i < length)
			break;
		if (!length)
			return;
		at += (off_t)length;
	}
	if (at >= 0 && read_at(reader->fd, &word, sizeof(word), reader->offset) == sizeof(word) &&
	    !word)
		cut_here(reader, "zeros in the middle of the file");
}

const struct trace_record *trace_reader_next(struct trace_reader *reader)
{
	while (!reader->damage.cut) {
		const struct trace_record *place, *record;
		uint64_t offset = reader->offset;
		struct trace_record head;

		place = (const struct trace_record *)bytes_at(reader, offset, sizeof(*place));
		if (!place) {
			if (offset >= size_of_file(reader->fd))
				return NULL;
			return cut_here(reader, "the file ends within a record");
		}
		head = *place;
		if (!head.size && !head.type) {
			check_rest(reader);
			return NULL;
		}
		if (head.size < sizeof(head) || head.size % TRACE_ALIGNMENT)
			return cut_here(reader, "no such size of a record");
		if (head.size > reader->size || offset > reader->size - head.size)
			reader->size = size_of_file(reader->fd);
		if (head.size > reader->size || offset > reader->size - head.size)
			return cut_here(reader, "a record that reaches beyond the file");
		record = load(reader, offset, head.type, head.size);
		reader->offset = offset + head.size;
		if (record)
			return record;
	}
	return NULL;
}
