#include "compare.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/sys.h"

#define CHUNK 1024 /* pages compared at once: short, so that little changes between readings */

const char *const compare_names[COMPARISONS] = {
	"same anonymous page in all", "same anonymous page in some",
	"copied, no two the same",    "maybe shared, frames hidden",
	"zero page, copied by none",  "file page, copied by none",
	"changed while being read",   "untouched by all",
};

const char *const compare_keys[COMPARISONS] = {
	"same", "some", "own", "unknown", "zero", "file", "changed", "untouched",
};

/* A chunk of pages as the processes have them. */
struct chunk {
	uintptr_t start;
	size_t pages;
	char letters[COMPARE_MOST][CHUNK];
	uint64_t first[COMPARE_MOST][CHUNK], second[COMPARE_MOST][CHUNK];
};

static bool is_anonymous(char letter)
{
	return letter && strchr("CHSs", letter);
}

/* What the page is, as far as we may know; 0 when we may not. */
static uint64_t identity(uint64_t entry)
{
	if (!ENTRY_FRAME(entry))
		return 0;
	return ENTRY_FRAME(entry) | (uint64_t)ENTRY_IS_SWAPPED(entry) << 63;
}

/* Bits 56, 61 to 63 and the frame: all that concerns us. */
static uint64_t without_noise(uint64_t entry)
{
	return entry & (0xe1ull << 56 | ((1ull << 55) - 1));
}

static int read_chunk(const struct compare *compare, const struct common *common,
		      struct chunk *chunk)
{
	for (unsigned i = 0; i < compare->processes; i++) {
		struct states states = {0};
		size_t cursor = 0;
		int error = frames_entries(compare->pagemap[i].fd, chunk->start, chunk->first[i],
					   chunk->pages);
		if (error)
			return error;
		states_read(&states, &compare->pagemap[i], chunk->start,
			    chunk->start + chunk->pages * PAGE_SIZE,
			    mapping_is_anonymous(common->mapping));
		letter_runs_fill(&states.runs, &cursor, chunk->start, chunk->pages,
				 chunk->letters[i]);
		error = states.error;
		states_free(&states);
		if (error)
			return error;
	}
	for (unsigned i = 0; i < compare->processes; i++) {
		int error = frames_entries(compare->pagemap[i].fd, chunk->start, chunk->second[i],
					   chunk->pages);
		if (error)
			return error;
	}
	return 0;
}

static bool is_changed(const struct compare *compare, const struct chunk *chunk, size_t page)
{
	for (unsigned i = 0; i < compare->processes; i++)
		if (without_noise(chunk->first[i][page]) != without_noise(chunk->second[i][page]))
			return true;
	return false;
}

/* How the anonymous pages at one address relate. */
struct relation {
	unsigned anonymous;         /* processes that have one */
	unsigned pairs;             /* pairs of them with the same */
	unsigned maybe_shared;      /* those with one that is not theirs alone, frames hidden */
	bool partner[COMPARE_MOST]; /* has the same as another */
};

static void relate(struct compare *compare, const struct chunk *chunk, size_t page,
		   struct relation *relation)
{
	for (unsigned i = 0; i < compare->processes; i++) {
		uint64_t id = identity(chunk->first[i][page]);
		bool anonymous = is_anonymous(chunk->letters[i][page]);

		relation->anonymous += anonymous;
		compare->anonymous[i] += anonymous;
		if (anonymous && !id && chunk->letters[i][page] != 'C' &&
		    chunk->letters[i][page] != 'H')
			relation->maybe_shared++;
		for (unsigned j = 0; j < i; j++) {
			bool both = id && id == identity(chunk->first[j][page]);
			if (!both || chunk->letters[i][page] == 'z')
				continue;
			if (!anonymous || !is_anonymous(chunk->letters[j][page])) {
				compare->same_file[i][j]++;
				compare->same_file[j][i]++;
				continue;
			}
			compare->same[i][j]++;
			compare->same[j][i]++;
			relation->pairs++;
			relation->partner[i] = relation->partner[j] = true;
		}
	}
}

static enum comparison compare_anonymous(const struct compare *compare,
					 const struct relation *relation)
{
	unsigned n = compare->processes;
	if (!compare->frames.numbers)
		return relation->maybe_shared > 1 ? COMPARE_UNKNOWN : COMPARE_OWN;
	if (relation->pairs == n * (n - 1) / 2)
		return COMPARE_SAME;
	return relation->pairs ? COMPARE_SOME : COMPARE_OWN;
}

static void count_own(const struct compare *compare, struct common *common,
		      const struct chunk *chunk, size_t page, const struct relation *relation)
{
	for (unsigned i = 0; i < compare->processes; i++) {
		char letter = chunk->letters[i][page];
		bool known = compare->frames.numbers || letter == 'C' || letter == 'H' ||
			     relation->maybe_shared <= 1;
		if (is_anonymous(letter) && known && !relation->partner[i])
			common->own[i]++;
	}
}

static enum comparison compare_page(struct compare *compare, struct common *common,
				    const struct chunk *chunk, size_t page)
{
	struct relation relation = {0};
	bool file = false, zero = false;

	if (is_changed(compare, chunk, page))
		return COMPARE_CHANGED;
	relate(compare, chunk, page, &relation);
	if (relation.anonymous) {
		count_own(compare, common, chunk, page, &relation);
		return compare_anonymous(compare, &relation);
	}
	for (unsigned i = 0; i < compare->processes; i++) {
		file |= chunk->letters[i][page] == 'f';
		zero |= chunk->letters[i][page] == 'z';
	}
	if (file)
		return COMPARE_FILE;
	return zero ? COMPARE_ZERO : COMPARE_UNTOUCHED;
}

static int compare_chunk(struct compare *compare, struct common *common, struct chunk *chunk)
{
	int error = read_chunk(compare, common, chunk);
	if (error)
		return error;
	for (size_t page = 0; page < chunk->pages; page++) {
		enum comparison result = compare_page(compare, common, chunk, page);
		uintptr_t address = chunk->start + page * PAGE_SIZE;
		common->pages[result]++;
		if (result != COMPARE_UNTOUCHED &&
		    !letter_runs_add(&common->runs, address, address + PAGE_SIZE,
				     COMPARE_LETTERS[result]))
			return -ENOMEM;
	}
	return 0;
}

/* The next address from `start` on where one of the processes has a page; else end. */
static uintptr_t next_touched(const struct states *states, size_t *cursors, unsigned count,
			      uintptr_t start, uintptr_t end)
{
	uintptr_t next = end;
	for (unsigned i = 0; i < count; i++) {
		const struct letter_runs *runs = &states[i].runs;
		while (cursors[i] < runs->count && runs->run[cursors[i]].end <= start)
			cursors[i]++;
		if (cursors[i] < runs->count && runs->run[cursors[i]].start < next)
			next = runs->run[cursors[i]].start;
	}
	return next > start ? next : start;
}

static int compare_common(struct compare *compare, struct common *common, struct chunk *chunk)
{
	struct states states[COMPARE_MOST] = {0};
	size_t cursors[COMPARE_MOST] = {0};
	uint64_t seen = 0;
	int error = 0;

	for (unsigned i = 0; i < compare->processes && !error; i++) {
		states_read(&states[i], &compare->pagemap[i], common->start, common->end,
			    mapping_is_anonymous(common->mapping));
		error = states[i].error;
	}
	for (uintptr_t next = common->start; !error && next < common->end;) {
		next = next_touched(states, cursors, compare->processes, next, common->end);
		if (next == common->end)
			break;
		chunk->start = next;
		chunk->pages = (common->end - next) >> PAGE_SHIFT;
		if (chunk->pages > CHUNK)
			chunk->pages = CHUNK;
		seen += chunk->pages;
		error = compare_chunk(compare, common, chunk);
		next += chunk->pages * PAGE_SIZE;
	}
	common->pages[COMPARE_UNTOUCHED] += ((common->end - common->start) >> PAGE_SHIFT) - seen;
	for (unsigned i = 0; i < compare->processes; i++)
		states_free(&states[i]);
	common->incomplete = error != 0;
	return error == -ENOMEM ? error : 0;
}

static bool is_alike(const struct mapping *a, const struct mapping *b)
{
	if (a->raw || b->raw || a->inode != b->inode || a->device_major != b->device_major ||
	    a->device_minor != b->device_minor)
		return false;
	return !a->inode || a->offset - a->start == b->offset - b->start;
}

/*
 * Cut [start, end) of the first process's mapping down to the first part that process i, and all
 * after it, map alike; what is left of it is looked at again. Mappings are in order of addresses.
 */
static int add_commons(struct compare *compare, const struct mapping *mapping, uintptr_t start,
		       uintptr_t end, unsigned i)
{
	struct process *process = &compare->process[i];

	if (i == compare->processes) {
		void *grown = reallocarray(compare->commons, compare->count + 1,
					   sizeof(*compare->commons));
		if (!grown)
			return -ENOMEM;
		compare->commons = grown;
		compare->commons[compare->count++] = (struct common){
			.start = start, .end = end, .mapping = mapping};
		return 0;
	}
	for (size_t k = 0; k < process->count; k++) {
		const struct mapping *other = &process->mappings[k];
		uintptr_t from = other->start > start ? other->start : start;
		uintptr_t to = other->end < end ? other->end : end;
		if (from < to && is_alike(mapping, other)) {
			int error = add_commons(compare, mapping, from, to, i + 1);
			if (error)
				return error;
		}
	}
	return 0;
}

static void add_total(struct compare *compare, const struct common *common)
{
	struct common *total = &compare->total;
	for (int i = 0; i < COMPARISONS; i++)
		total->pages[i] += common->pages[i];
	for (unsigned i = 0; i < compare->processes; i++)
		total->own[i] += common->own[i];
	total->end += common->end - common->start;
	total->incomplete |= common->incomplete;
}

static int compare_all(struct compare *compare)
{
	struct chunk *chunk = malloc(sizeof(*chunk));
	int error = chunk ? 0 : -ENOMEM;

	for (size_t i = 0; i < compare->process[0].count && !error; i++) {
		const struct mapping *mapping = &compare->process[0].mappings[i];
		error = add_commons(compare, mapping, mapping->start, mapping->end, 1);
	}
	for (size_t i = 0; i < compare->count && !error; i++) {
		error = compare_common(compare, &compare->commons[i], chunk);
		add_total(compare, &compare->commons[i]);
	}
	free(chunk);
	for (unsigned i = 0; i < compare->processes; i++)
		process_check(&compare->process[i]);
	return error;
}

int compare_read(struct compare *compare, const pid_t *pids, unsigned count, unsigned *failed)
{
	int error = 0;

	*compare = (struct compare){.processes = count};
	frames_open(&compare->frames);
	for (unsigned i = 0; i < count; i++) {
		compare->process[i].folder = -1;
		compare->pagemap[i].fd = -1;
	}
	for (unsigned i = 0; i < count && !error; i++) {
		*failed = i;
		error = process_open(&compare->process[i], pids[i]);
		if (!error)
			error = process_read_mappings(&compare->process[i], 0, UINTPTR_MAX);
		if (!error)
			error = process_open_pagemap(&compare->process[i], &compare->pagemap[i]);
	}
	return error ? error : compare_all(compare);
}

void compare_free(struct compare *compare)
{
	for (size_t i = 0; i < compare->count; i++)
		letter_runs_free(&compare->commons[i].runs);
	free(compare->commons);
	for (unsigned i = 0; i < compare->processes; i++) {
		pagemap_close(&compare->pagemap[i]);
		process_close(&compare->process[i]);
	}
	frames_close(&compare->frames);
}
