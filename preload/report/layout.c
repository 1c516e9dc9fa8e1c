#include "report/layout.h"

#include <string.h>
#include <sys/mman.h>

#include "base/memory.h"
#include "observe/elf_file.h"
#include "observe/maps.h"

/* Stacks are in the registry only so that nobody protects them: listed with what is not tracked. */
static void collect_tracked(struct snapshot *snapshot)
{
	struct region region;

	for (uintptr_t next = 0; region_copy_next(next, &region); next = region.end) {
		if (region.limit == REGION_STACK)
			continue;
		struct mapping *mapping = list_extend(&snapshot->mappings, 1);
		if (!mapping) {
			snapshot->incomplete = true;
			break;
		}
		mapping->region = region;
		mapping->tracked = true;
	}
	snapshot->tracked = snapshot->mappings.count;
}

static void set_path(struct snapshot *snapshot, struct mapping *mapping, const char *path,
		     size_t length)
{
	char *kept = length ? list_extend(&snapshot->names, length) : NULL;

	if (!kept)
		return;
	memcpy(kept, path, length);
	mapping->path = snapshot->names.count - length;
	mapping->path_length = length;
}

#define BSS "[.bss] "
#define BSS_LENGTH (sizeof(BSS) - 1)
#define PATH_MOST 512 /* of a file whose .bss is named */

struct walk {
	struct snapshot *snapshot;
	size_t next; /* the first tracked mapping that may reach into this line or behind it */
	/* The last line of a file, and its .bss behind it once that is known. */
	uintptr_t file_start, file_end, bss_end;
	uint64_t file_offset;
	size_t length;
	char name[BSS_LENGTH + PATH_MOST];
};

static void meet_file(struct walk *walk, const struct maps_line *line)
{
	bool usable = line->path_length && line->path[0] == '/' && line->path_length < PATH_MOST;

	if (!line->inode)
		return;
	walk->file_start = line->start;
	walk->file_end = usable ? line->end : 0;
	walk->file_offset = line->offset;
	walk->bss_end = 0;
	if (!usable)
		return;
	walk->length = BSS_LENGTH + line->path_length;
	memcpy(walk->name, BSS, BSS_LENGTH);
	memcpy(walk->name + BSS_LENGTH, line->path, line->path_length);
	walk->name[walk->length] = '\0';
}

/* The .bss of a program or library is anonymous memory that follows its data. */
static bool is_bss(struct walk *walk, uintptr_t start)
{
	struct elf_file file;

	if (start == walk->file_end && !walk->bss_end &&
	    elf_open(&file, walk->name + BSS_LENGTH) == 0) {
		walk->bss_end = elf_data_end(&file, walk->file_start, walk->file_offset);
		elf_close(&file);
	}
	return walk->file_end && start >= walk->file_end && start < walk->bss_end;
}

static void name_mapping(struct walk *walk, struct mapping *mapping, const struct maps_line *line)
{
	if (mapping->path_length)
		return;
	if (line->path_length)
		set_path(walk->snapshot, mapping, line->path, line->path_length);
	else if (!mapping->region.file && is_bss(walk, mapping->region.start))
		set_path(walk->snapshot, mapping, walk->name, walk->length);
}

static struct layout_exclusions exclusions;

void layout_start(const struct layout_exclusions *given)
{
	exclusions = *given;
}

static uintptr_t lesser(uintptr_t a, uintptr_t b)
{
	return a < b ? a : b;
}

/* Why the memory at an address is not tracked; *stop becomes where that may change. */
static enum untracked why_untracked(uintptr_t at, const struct maps_line *line, uintptr_t *stop)
{
	struct region region;
	uintptr_t end;

	if (region_peek(at, &region)) {
		*stop = lesser(*stop, region.end);
		return UNTRACKED_STACK;
	}
	if (region_copy_next(at, &region))
		*stop = lesser(*stop, region.start);
	if (exclusions.around && exclusions.around(at, &end)) {
		*stop = lesser(*stop, end);
		return UNTRACKED_LIBRARY;
	}
	if (exclusions.next)
		*stop = lesser(*stop, exclusions.next(at));
	return line->path_length > 6 && memcmp(line->path, "[stack", 6) == 0 ? UNTRACKED_STACK
									     : UNTRACKED_UNSEEN;
}

/* The piece continues the mapping before it: the kernel cuts one mapping at changed protections. */
static bool goes_on(const struct snapshot *snapshot, const struct mapping *mapping, uintptr_t start,
		    enum untracked why, const struct maps_line *line)
{
	return !mapping->tracked && mapping->region.end == start && mapping->untracked == why &&
	       mapping->path_length == line->path_length &&
	       (!line->path_length ||
		memcmp(snapshot_path(snapshot, mapping), line->path, line->path_length) == 0);
}

static void add_untracked(struct snapshot *snapshot, uintptr_t start, uintptr_t end,
			  enum untracked why, const struct maps_line *line)
{
	struct mapping *last = NULL, *mapping;
	uint8_t protection = (uint8_t)((line->readable ? PROT_READ : 0) |
				       (line->writable ? PROT_WRITE : 0) |
				       (line->executable ? PROT_EXEC : 0));

	if (snapshot->mappings.count)
		last = snapshot_mapping(snapshot, snapshot->mappings.count - 1);
	if (last && goes_on(snapshot, last, start, why, line)) {
		last->region.end = end;
		last->region.protection |= protection;
		return;
	}
	mapping = list_extend(&snapshot->mappings, 1);
	if (!mapping) {
		snapshot->incomplete = true;
		return;
	}
	mapping->region = (struct region){
		.start = start,
		.end = end,
		.protection = protection,
		.file = line->inode,
		.inherited = journal_is_child(),
	};
	mapping->untracked = (uint8_t)why;
	set_path(snapshot, mapping, line->path, line->path_length);
}

/*
 * By address, never line by line: our protections cut one mapping into many lines, and a line can
 * reach beyond a tracked mapping's ends.
 */
static int take_line(const struct maps_line *line, void *context)
{
	struct walk *walk = context;
	struct snapshot *snapshot = walk->snapshot;
	uintptr_t at = line->start;

	if (!maps_is_private_memory(line))
		return 0;
	meet_file(walk, line);
	while (at < line->end) {
		struct mapping *tracked = NULL;
		uintptr_t stop = line->end;
		if (walk->next < snapshot->tracked)
			tracked = snapshot_mapping(snapshot, walk->next);
		if (tracked && tracked->region.end <= at) {
			walk->next++;
		} else if (tracked && tracked->region.start <= at) {
			name_mapping(walk, tracked, line);
			at = tracked->region.end;
		} else if (!memory_is_ours(at, &stop)) {
			uintptr_t ours;
			if (tracked && tracked->region.start < stop)
				stop = tracked->region.start;
			if (memory_next_ours(at, &ours) && ours < stop)
				stop = ours;
			enum untracked why = why_untracked(at, line, &stop);
			add_untracked(snapshot, at, stop, why, line);
			at = stop;
		} else {
			at = stop;
		}
	}
	return 0;
}

void layout_collect(struct snapshot *snapshot)
{
	struct walk walk = {.snapshot = snapshot};

	collect_tracked(snapshot);
	maps_walk_self(take_line, &walk);
}

struct mapping *layout_find(const struct snapshot *snapshot, uintptr_t address)
{
	size_t low = 0, high = snapshot->tracked;

	while (low < high) {
		size_t middle = low + (high - low) / 2;
		struct mapping *mapping = snapshot_mapping(snapshot, middle);
		if (address < mapping->region.start)
			high = middle;
		else if (address >= mapping->region.end)
			low = middle + 1;
		else
			return mapping;
	}
	return NULL;
}
