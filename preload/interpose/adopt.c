#include "adopt.h"

#include <errno.h>
#include <string.h>
#include <sys/mman.h>

#include "base/memory.h"
#include "base/sys.h"
#include "observe/maps.h"
#include "observe/truth.h"
#include "record/journal.h"
#include "record/trace.h"
#include "scope.h"
#include "track/fault.h"
#include "track/guard.h"
#include "track/malloc_arenas.h"
#include "track/mappings.h"
#include "track/pages.h"
#include "track/region_names.h"
#include "track/threads.h"

struct walk {
	uintptr_t last_end; /* the line before */
	bool last_is_guard; /* one page without any access */
	uintptr_t start, end;
	bool requested; /* by the program, for just this range */
	enum region_limit limit;
	uintptr_t mapped; /* bytes of the range that are */
};

static bool path_starts(const struct maps_line *line, const char *prefix)
{
	size_t length = strlen(prefix);
	return line->path_length >= length && !memcmp(line->path, prefix, length);
}

/* Memory of a device is not memory of ours to protect; /dev/zero is anonymous. */
static bool is_device(const struct maps_line *line)
{
	return path_starts(line, "/dev/") && !path_starts(line, "/dev/zero") &&
	       !path_starts(line, "/dev/shm/");
}

static bool holds(const struct maps_line *line, uintptr_t address)
{
	return address >= line->start && address < line->end;
}

/* A thread's stack, thread block, or alternate signal stack lies in it. */
static bool holds_thread(const struct maps_line *line)
{
	for (struct thread *t = thread_first(); t; t = thread_next(t))
		if (holds(line, t->block) || holds(line, t->stack_pointer) ||
		    (t->alternate.ss_sp && holds(line, (uintptr_t)t->alternate.ss_sp)))
			return true;
	return false;
}

/*
 * Threads that did not come to our notice (made by libraries that call libc's own pthread_create,
 * or cached by libc) have stacks too: mappings that follow a guard page.
 */
static bool looks_like_stack(const struct maps_line *line, const struct walk *walk)
{
	return line->path_length == 0 && walk->last_is_guard && walk->last_end == line->start;
}

static enum region_limit limit_of(const struct maps_line *line, const struct walk *walk)
{
	if (path_starts(line, "[stack") || holds_thread(line) || looks_like_stack(line, walk))
		return REGION_STACK;
	if (path_starts(line, "/anon_hugepage") || path_starts(line, "/dev/hugepages") ||
	    is_device(line))
		return REGION_HUGETLB;
	return REGION_PROTECTED;
}

/* The end of what at the address must be left out; 0 when it may be adopted. */
static uintptr_t skip_end(uintptr_t at)
{
	struct region region;
	uintptr_t end;
	if (scope_never(at, &end) || memory_is_ours(at, &end))
		return end;
	return region_peek(at, &region) ? region.end : 0;
}

/* Where the next thing to leave out begins. */
static uintptr_t next_skip(uintptr_t at, uintptr_t end)
{
	struct region region;
	uintptr_t next = scope_next_never(at), ours;
	if (memory_next_ours(at, &ours) && ours < next)
		next = ours;
	if (region_copy_next(at, &region) && region.start < next)
		next = region.start;
	return next < end ? next : end;
}

static void claim_run(uintptr_t start, uintptr_t end, page_flags_t flags, void *context)
{
	(void)context;
	for (; page_is_copied(flags) && start < end; start += PAGE_SIZE)
		pages_claim(start);
}

/*
 * Pages that were copied before have had their first write: they stay open. Once there was a fork
 * nobody can say this: they are closed, and the kernel is asked when they are written.
 */
static void begin_requested(struct region *model)
{
	model->inherited = journal_is_child();
	model->shared_since_fork = process_epoch > 0 ||
				   truth_runs(model->start, model->end, claim_run, NULL);
}

static void adopt(const struct maps_line *line, const struct walk *walk)
{
	struct region model = {
		.protection = (uint8_t)((line->readable ? PROT_READ : 0) |
					(line->writable ? PROT_WRITE : 0) |
					(line->executable ? PROT_EXEC : 0)),
		.limit = (uint8_t)limit_of(line, walk),
		.file = line->inode != 0,
		.inherited = true,
		.shared_since_fork = true,
	};
	uintptr_t at = line->start > walk->start ? line->start : walk->start;
	uintptr_t end = line->end < walk->end ? line->end : walk->end;
	if (model.limit == REGION_PROTECTED)
		model.limit = (uint8_t)walk->limit;
	while (at < end) {
		uintptr_t skip = skip_end(at);
		if (skip) {
			at = skip;
			continue;
		}
		model.start = at;
		model.end = at = next_skip(at, end);
		if (walk->requested)
			begin_requested(&model);
		mappings_add(&model);
		/* Names that came up after the trace was begun: [heap] is the most common. */
		if (line->path_length)
			trace_mapping_name(line);
	}
}

/* Once tracked, its protections may have cut it to several lines: the first one tells. */
static void name_arena(const struct maps_line *line)
{
	static const char name[] = "[malloc arena]";
	uintptr_t end = line->path_length ? 0 : malloc_arena_end(line->start);
	const struct region *region = end ? region_find(line->start, false) : NULL;

	if (region && !region->name)
		region_names_set(line->start, end, name, sizeof(name) - 1);
}

static int visit(const struct maps_line *line, void *context)
{
	struct walk *walk = context;
	if (line->start >= walk->end)
		return 1;
	if (!line->shared && (line->writable || walk->requested) && !path_starts(line, "[v"))
		adopt(line, walk);
	if (!line->shared && !walk->requested)
		name_arena(line);
	if (line->end > walk->start)
		walk->mapped += (line->end < walk->end ? line->end : walk->end) -
				(line->start > walk->start ? line->start : walk->start);
	walk->last_end = line->end;
	walk->last_is_guard = line->end - line->start == PAGE_SIZE && !line->readable &&
			      !line->writable && !line->executable;
	return 0;
}

void adopt_everything(void)
{
	struct walk walk = {.end = ~(uintptr_t)0};
	maps_walk_self(visit, &walk);
}

/* What the program once asked to leave out, it may want back. */
static void take_back(uintptr_t start, uintptr_t end)
{
	struct region *region = region_find(start, true);
	for (; region && region->start < end; region = region_find(region->end, true)) {
		struct region before = *region;
		if (region->limit != REGION_USER)
			continue;
		begin_requested(region);
		region->limit = REGION_PROTECTED;
		region_armed_changed(&before, region);
		guard_apply(region, region->start, region->end);
	}
}

static int adopt_range(uintptr_t start, uintptr_t end, enum region_limit limit)
{
	struct walk walk = {.start = start, .end = end, .requested = true, .limit = limit};
	maps_walk_self(visit, &walk);
	if (!region_any(start, end))
		return walk.mapped < end - start ? -ENOMEM : -EINVAL;
	if (region_split(start) || region_split(end))
		return -ENOMEM;
	return walk.mapped < end - start ? -ENOMEM : 0;
}

int adopt_requested(uintptr_t start, uintptr_t end)
{
	int error = adopt_range(start, end, REGION_PROTECTED);
	take_back(start, end);
	return error;
}

int adopt_left_out(uintptr_t start, uintptr_t end, enum region_limit why)
{
	int error = adopt_range(start, end, why);
	guard_give_up_range(start, end, why);
	return error;
}
