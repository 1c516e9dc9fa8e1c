#include "report/page_query.h"

#include <errno.h>
#include <string.h>
#include <sys/mman.h>

#include "base/sys.h"
#include "observe/locks.h"
#include "observe/maps.h"
#include "observe/stacks.h"
#include "observe/truth.h"
#include "report/snapshot.h"

/* The API's numbers are the journal's. */
_Static_assert(COWSPY_KIND_UNKNOWN == (int)KIND_UNKNOWN && COWSPY_KIND_FILE == (int)KIND_FILE &&
		       COWSPY_KIND_ZERO == (int)KIND_ZERO && COWSPY_KIND_FILL == (int)KIND_FILL &&
		       COWSPY_KIND_FORK == (int)KIND_FORK && COWSPY_KIND_REUSE == (int)KIND_REUSE,
	       "kinds");
_Static_assert(COWSPY_CAUSE_WRITE == (int)CAUSE_WRITE &&
		       COWSPY_CAUSE_SYSCALL == (int)CAUSE_SYSCALL &&
		       COWSPY_CAUSE_LOCK == (int)CAUSE_LOCK &&
		       COWSPY_CAUSE_POPULATE == (int)CAUSE_POPULATE,
	       "causes");
_Static_assert(COWSPY_STACK_MOST == STACK_DEPTH_MOST, "depth of stacks");

struct query {
	uintptr_t start, end;
	unsigned char *bits; /* of the pages from start on */
	bool locks;          /* something in the range is locked */
	int error;
};

/* A part of the range, all of one mapping. */
struct part {
	struct query *query;
	const struct region *region;
	bool tracked;
};

static unsigned char *bits_at(const struct query *query, uintptr_t page)
{
	return query->bits + ((page - query->start) >> PAGE_SHIFT);
}

static unsigned char bits_of(const struct page_view *view)
{
	return (view->state.copied ? COWSPY_COPIED : 0) |
	       (view->state.letter == 'z' ? COWSPY_ZERO : 0) |
	       (view->state.letter == 's' ? COWSPY_SHARED : 0) |
	       (view->state.reused ? COWSPY_REUSED : 0) |
	       (view->flags & PAGE_SWAPPED ? COWSPY_SWAPPED : 0) |
	       (view->event && view->event->cause != CAUSE_WRITE ? COWSPY_KERNEL : 0);
}

static void take_run(uintptr_t start, uintptr_t end, page_flags_t flags, void *context)
{
	const struct part *part = context;

	for (uintptr_t page = start; page < end; page += PAGE_SIZE) {
		struct page_view view = snapshot_page_view(part->region, part->tracked, page,
							   flags);
		*bits_at(part->query, page) |= bits_of(&view);
	}
}

static void take_part(struct query *query, const struct region *region, bool tracked,
		      uintptr_t start, uintptr_t end)
{
	struct part part = {query, region, tracked};

	if (start < end && !query->error && truth_runs(start, end, take_run, &part))
		query->error = -ENOTSUP;
}

/* Memory that we know nothing about: the kernel alone tells. */
static struct region untracked_region(void)
{
	return (struct region){.inherited = journal_is_child(), .shared_since_fork = true};
}

static uintptr_t greater(uintptr_t a, uintptr_t b)
{
	return a > b ? a : b;
}

static uintptr_t lesser(uintptr_t a, uintptr_t b)
{
	return a < b ? a : b;
}

/* True when all of the range is tracked. */
static bool take_tracked(struct query *query)
{
	struct region region;
	uintptr_t at = query->start;
	bool all = true;

	while (at < query->end && region_copy_next(at, &region) && region.start < query->end) {
		uintptr_t from = greater(at, region.start);
		all &= from == at;
		at = lesser(query->end, region.end);
		take_part(query, &region, true, from, at);
	}
	return all && at == query->end;
}

static void take_untracked(struct query *query, uintptr_t start, uintptr_t end)
{
	const struct region nobodys = untracked_region();
	struct region tracked;

	while (start < end) {
		if (!region_copy_next(start, &tracked))
			tracked.start = tracked.end = end;
		take_part(query, &nobodys, false, start, lesser(tracked.start, end));
		start = tracked.end;
	}
}

static int take_line(const struct maps_line *line, void *context)
{
	struct query *query = context;
	uintptr_t start = greater(line->start, query->start);
	uintptr_t end = lesser(line->end, query->end);

	if (line->start >= query->end)
		return 1;
	if (start >= end)
		return 0;
	if (query->locks && locks_any(start, end))
		for (uintptr_t page = start; page < end; page += PAGE_SIZE)
			*bits_at(query, page) |= COWSPY_LOCKED;
	if (maps_is_private_memory(line))
		take_untracked(query, start, end);
	return 0;
}

/* The kernel refuses what mincore(2) refuses. */
static int take_residency(const struct query *query)
{
	long error = sys_call3(SYS_mincore, query->start, query->end - query->start, query->bits);

	for (uintptr_t page = query->start; !error && page < query->end; page += PAGE_SIZE)
		*bits_at(query, page) = *bits_at(query, page) & 1 ? COWSPY_RESIDENT : 0;
	return (int)error;
}

int page_query_range(uintptr_t start, size_t count, unsigned char *bits)
{
	struct query query = {.start = start, .end = start + count * PAGE_SIZE, .bits = bits};

	query.error = take_residency(&query);
	if (query.error)
		return query.error;
	query.locks = locks_any(query.start, query.end);
	if (!take_tracked(&query) || query.locks)
		maps_walk_self(take_line, &query);
	return query.error;
}

/* ---- one page ---- */

struct one {
	uintptr_t address;
	struct region region; /* as the line shows it */
	bool private;
	struct cowspy_page *page;
};

static int take_mapping(const struct maps_line *line, void *context)
{
	struct one *one = context;
	size_t length = lesser(line->path_length, COWSPY_PATH_MOST - 1);

	if (line->end <= one->address)
		return 0;
	if (line->start > one->address)
		return 1;
	one->region = untracked_region();
	one->region.start = line->start;
	one->region.end = line->end;
	one->region.protection = (uint8_t)((line->readable ? PROT_READ : 0) |
					   (line->writable ? PROT_WRITE : 0) |
					   (line->executable ? PROT_EXEC : 0));
	one->private = maps_is_private_memory(line);
	memcpy(one->page->path, line->path, length);
	return 1;
}

static void fill_mapping(struct cowspy_page *page, const struct region *region)
{
	page->start = region->start;
	page->end = region->end;
	page->protection = region->protection;
	if (region->name)
		strncpy(page->name, region->name, COWSPY_NAME_MOST - 1);
}

static void fill_event(struct cowspy_page *page, const struct kept_write *event)
{
	const uintptr_t *frames;

	page->is_recorded = 1;
	page->time = event->time;
	page->thread = event->thread;
	page->epoch = event->epoch;
	page->kind = event->kind;
	page->cause = event->cause;
	if (event->cause != CAUSE_WRITE)
		page->system_call = event->syscall - 1;
	page->stack_depth = (uint16_t)stacks_get(event->stack, &frames);
	if (page->stack_depth)
		memcpy(page->stack, frames, page->stack_depth * sizeof(*frames));
}

int page_query_one(uintptr_t address, struct cowspy_page *page)
{
	struct one one = {.address = page_floor(address), .page = page};
	struct page_view view = {.state.letter = '.'};
	struct region tracked;
	page_flags_t flags;
	int error;

	memset(page, 0, sizeof(*page));
	page->system_call = -1;
	error = page_query_range(one.address, 1, &page->bits);
	if (error)
		return error;
	maps_walk_self(take_mapping, &one);
	bool is_tracked = region_peek(one.address, &tracked);
	fill_mapping(page, is_tracked ? &tracked : &one.region);
	page->is_tracked = is_tracked && tracked.limit == REGION_PROTECTED;
	if (truth_page(one.address, &flags))
		return -ENOTSUP;
	if (is_tracked || one.private)
		view = snapshot_page_view(is_tracked ? &tracked : &one.region, is_tracked,
					  one.address, flags);
	else if (flags & PAGE_PRESENT)
		view.state.letter = 'f';
	page->state = view.state.letter;
	if (view.event)
		fill_event(page, view.event);
	return 0;
}
