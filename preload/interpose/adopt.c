#include "adopt.h"

#include <string.h>
#include <sys/mman.h>

#include "base/memory.h"
#include "base/sys.h"
#include "observe/maps.h"
#include "scope.h"
#include "track/mappings.h"
#include "track/threads.h"

struct walk {
	uintptr_t last_end;   /* the line before */
	bool last_is_guard;             /* one page without any access */
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

static void adopt(const struct maps_line *line, const struct walk *walk)
{
	struct region model = {
		.protection = (uint8_t)(PROT_WRITE | (line->readable ? PROT_READ : 0) |
					(line->executable ? PROT_EXEC : 0)),
		.limit = (uint8_t)limit_of(line, walk),
		.file = line->inode != 0,
		.inherited = true,
		.shared_since_fork = true,
	};
	uintptr_t at = line->start;
	while (at < line->end) {
		uintptr_t skip = skip_end(at);
		if (skip) {
			at = skip;
			continue;
		}
		model.start = at;
		model.end = at = next_skip(at, line->end);
		mappings_add(&model);
	}
}

static int visit(const struct maps_line *line, void *context)
{
	struct walk *walk = context;
	if (!line->shared && line->writable && !path_starts(line, "[v"))
		adopt(line, walk);
	walk->last_end = line->end;
	walk->last_is_guard = line->end - line->start == PAGE_SIZE && !line->readable &&
			      !line->writable && !line->executable;
	return 0;
}

void adopt_everything(void)
{
	struct walk walk = {0};
	maps_walk_self(visit, &walk);
}
