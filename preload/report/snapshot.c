#include "report/snapshot.h"

#include <string.h>
#include <sys/mman.h>

#include "base/memory.h"
#include "base/sys.h"
#include "observe/locks.h"
#include "observe/stacks.h"
#include "observe/truth.h"
#include "report/changes.h"
#include "report/layout.h"
#include "track/pages.h"

/* Stacks that come up while the snapshot is taken have room too. */
#define GROUPS_SPARE 4096

struct collector {
	struct snapshot *snapshot;
	struct mapping *mapping;
};

/* ---- first writes, by stack ---- */

static void group_thread(struct stack_group *group, uint32_t thread)
{
	unsigned known = group->thread_count;

	for (unsigned i = 0; i < known && i < GROUP_THREADS; i++) {
		if (group->threads[i] == thread)
			return;
	}
	if (known < GROUP_THREADS)
		group->threads[known] = thread;
	if (known <= GROUP_THREADS)
		group->thread_count++;
}

static struct stack_group *group_of(const struct snapshot *snapshot, const struct kept_write *write)
{
	return &snapshot->groups[write->stack < snapshot->group_count ? write->stack : 0];
}

static void group_add(struct snapshot *snapshot, const struct kept_write *write)
{
	struct stack_group *group = group_of(snapshot, write);

	if (!group->writes++) {
		group->first = write->time;
		group->syscall = write->syscall;
	}
	group->kinds[write->kind % KINDS]++;
	group->causes[write->cause % CAUSES]++;
	group_thread(group, write->thread);
}

static void collect_events(struct snapshot *snapshot)
{
	uint32_t count = journal_count();

	for (uint32_t index = journal_first(); index++ < count;) {
		const struct kept_write *write = journal_get(index);
		if (!write)
			continue;
		if (!snapshot->events++)
			snapshot->first_time = write->time;
		group_add(snapshot, write);
	}
}

/* ---- pages ---- */

static void attribute(struct snapshot *snapshot, uintptr_t page, const struct kept_write *write)
{
	struct stack_group *group = group_of(snapshot, write);

	snapshot->attributed++;
	snapshot->kinds[write->kind % KINDS]++;
	snapshot->causes[write->cause % CAUSES]++;
	if (write->cause == CAUSE_SYSCALL && write->syscall)
		snapshot->syscalls[write->syscall - 1]++;
	group->copied++;
	changes_add(snapshot, page, write, group);
}

static void add_run(struct collector *collector, uintptr_t start, uint64_t pages, char letter)
{
	struct list *runs = &collector->snapshot->runs;
	struct page_run *run = NULL;

	if (letter == '.')
		return;
	if (collector->mapping->runs)
		run = list_at(runs, runs->count - 1);
	if (run && run->letter == (unsigned char)letter &&
	    run->start + (run->pages << PAGE_SHIFT) == start) {
		run->pages += pages;
		return;
	}
	run = list_extend(runs, 1);
	if (!run) {
		collector->snapshot->incomplete = true;
		return;
	}
	if (!collector->mapping->runs++)
		collector->mapping->run = runs->count - 1;
	*run = (struct page_run){.start = start, .pages = pages, .letter = (unsigned char)letter};
}

static void count_pages(struct mapping *mapping, page_flags_t flags, struct page_state state,
			uint64_t pages)
{
	if (state.copied)
		mapping->copied += pages;
	if (state.attributed)
		mapping->attributed += pages;
	if (state.letter == 'z')
		mapping->zero += pages;
	if (state.letter == 'f')
		mapping->clean += pages;
	if (flags & PAGE_PRESENT)
		mapping->resident += pages;
	if (flags & PAGE_SWAPPED)
		mapping->swapped += pages;
}

static void take_page(struct collector *collector, uintptr_t page, page_flags_t flags)
{
	struct snapshot *snapshot = collector->snapshot;
	struct mapping *mapping = collector->mapping;
	struct page_view view = snapshot_page_view(&mapping->region, mapping->tracked, page, flags);

	count_pages(mapping, view.flags, view.state, 1);
	add_run(collector, page, 1, view.state.letter);
	if (view.state.attributed)
		attribute(snapshot, page, view.origin);
	if (view.state.reused)
		snapshot->reused++;
	if (view.state.letter == 'z' && (flags & PAGE_ZERO_INFERRED))
		snapshot->ambiguous++;
}

static void take_run(uintptr_t start, uintptr_t end, page_flags_t flags, void *context)
{
	struct collector *collector = context;
	const struct region *region = &collector->mapping->region;
	bool by_page = page_is_copied(flags) || (flags & PAGE_MARKER) ||
		       ((flags & PAGE_ZERO_INFERRED) && region->shared_since_fork);
	uint64_t pages = (end - start) >> PAGE_SHIFT;

	if (by_page && collector->mapping->tracked) {
		for (; start < end; start += PAGE_SIZE)
			take_page(collector, start, flags);
		return;
	}
	/* Of these pages the kernel's flags say everything. */
	struct page_state state = snapshot_page_view(region, false, start, flags).state;
	count_pages(collector->mapping, flags, state, pages);
	if (collector->mapping->tracked)
		add_run(collector, start, pages, state.letter);
}

static void collect_pages(struct snapshot *snapshot)
{
	for (size_t i = 0; i < snapshot->mappings.count && !snapshot->truth_error; i++) {
		struct mapping *mapping = snapshot_mapping(snapshot, i);
		struct collector collector = {snapshot, mapping};
		snapshot->truth_error = truth_runs(mapping->region.start, mapping->region.end,
						   take_run, &collector);
	}
}

/* ---- locks ---- */

struct lock_walk {
	struct snapshot *snapshot;
	size_t tracked, untracked; /* the first of each that may reach into what comes */
};

/*
 * Mappings that touch are one to the kernel when nothing tells them apart: each gets its share of
 * what is locked by its size, which is right where all is locked or nothing.
 */
static void share_locked(struct snapshot *snapshot, size_t *next, size_t end, uintptr_t line_start,
			 uintptr_t line_end, uint64_t locked)
{
	for (; *next < end; ++*next) {
		struct mapping *mapping = snapshot_mapping(snapshot, *next);
		const struct region *region = &mapping->region;
		uintptr_t from = region->start > line_start ? region->start : line_start;
		uintptr_t to = region->end < line_end ? region->end : line_end;
		if (from < to)
			mapping->locked += (locked >> 10) * ((to - from) >> PAGE_SHIFT) /
						   ((line_end - line_start) >> PAGE_SHIFT)
					   << 10;
		if (region->end > line_end)
			return;
	}
}

static void take_locked(uintptr_t start, uintptr_t end, uint64_t locked, void *context)
{
	struct lock_walk *walk = context;
	struct snapshot *snapshot = walk->snapshot;

	share_locked(snapshot, &walk->tracked, snapshot->tracked, start, end, locked);
	share_locked(snapshot, &walk->untracked, snapshot->mappings.count, start, end, locked);
}

static void collect_locks(struct snapshot *snapshot)
{
	struct lock_walk walk = {snapshot, 0, snapshot->tracked};

	if (locks_any(0, ~(uintptr_t)0 & PAGE_MASK))
		locks_walk(take_locked, &walk);
}

/* ---- without the kernel's word ---- */

/* Each page whose latest event this is counts as that event left it. */
static void collect_pages_from_events(struct snapshot *snapshot)
{
	uint32_t count = journal_count();

	for (uint32_t index = journal_first(); index++ < count;) {
		const struct kept_write *write = journal_get(index);
		struct collector collector = {snapshot, NULL};
		if (!write || pages_event(kept_page(write)) != index)
			continue;
		collector.mapping = layout_find(snapshot, kept_page(write));
		if (!collector.mapping)
			continue;
		take_page(&collector, kept_page(write), PAGE_PRESENT | PAGE_EXCLUSIVE);
	}
}

/* What was drawn before the kernel stopped answering, or from events out of order, is no map. */
static void forget_pages(struct snapshot *snapshot)
{
	for (size_t i = 0; i < snapshot->mappings.count; i++) {
		struct mapping *mapping = snapshot_mapping(snapshot, i);
		mapping->runs = mapping->copied = mapping->attributed = mapping->zero = 0;
		mapping->clean = mapping->resident = mapping->swapped = 0;
	}
	for (size_t i = 0; i < snapshot->group_count; i++)
		snapshot->groups[i].copied = snapshot->groups[i].compared = 0;
	memset(snapshot->kinds, 0, sizeof(snapshot->kinds));
	memset(snapshot->causes, 0, sizeof(snapshot->causes));
	memset(snapshot->syscalls, 0, sizeof(snapshot->syscalls));
	snapshot->attributed = snapshot->reused = snapshot->ambiguous = 0;
	snapshot->compared = snapshot->identical = snapshot->changed_bytes = 0;
	snapshot->not_compared = 0;
	snapshot->changes.count = 0;
	list_release(&snapshot->runs);
}

static void collect_without_truth(struct snapshot *snapshot)
{
	forget_pages(snapshot);
	collect_pages_from_events(snapshot);
	for (size_t i = 0; i < snapshot->mappings.count; i++)
		snapshot_mapping(snapshot, i)->runs = 0;
}

/* ---- all of it ---- */

struct snapshot *snapshot_take(void)
{
	struct snapshot *snapshot = memory_map(sizeof(*snapshot));

	if (!snapshot)
		return NULL;
	snapshot->time = sys_now();
	snapshot->mappings.element = sizeof(struct mapping);
	snapshot->runs.element = sizeof(struct page_run);
	snapshot->names.element = 1;
	snapshot->changes.element = sizeof(struct page_change);
	snapshot->group_count = (size_t)stacks_count() + 1 + GROUPS_SPARE;
	snapshot->groups = memory_map(snapshot->group_count * sizeof(*snapshot->groups));
	if (!snapshot->groups) {
		memory_unmap(snapshot, sizeof(*snapshot));
		return NULL;
	}
	layout_collect(snapshot);
	collect_events(snapshot);
	collect_pages(snapshot);
	if (snapshot->truth_error)
		collect_without_truth(snapshot);
	collect_locks(snapshot);
	for (size_t i = 0; i < snapshot->tracked; i++)
		snapshot->copied += snapshot_mapping(snapshot, i)->copied;
	return snapshot;
}

void snapshot_release(struct snapshot *snapshot)
{
	list_release(&snapshot->mappings);
	list_release(&snapshot->runs);
	list_release(&snapshot->names);
	list_release(&snapshot->changes);
	memory_unmap(snapshot->groups, snapshot->group_count * sizeof(*snapshot->groups));
	memory_unmap(snapshot, sizeof(*snapshot));
}
