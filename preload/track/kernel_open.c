/* Opening the pages that a system call may write. */
#include "base/memory.h"
#include "base/sys.h"
#include "guard.h"
#include "kernel_call.h"
#include "lock.h"
#include "observe/truth.h"
#include "pages.h"
#include "record/originals.h"

/* The part of an output range that lies in an armed region; false when there is none from *at on. */
static bool armed_part(uintptr_t *at, uintptr_t end, uintptr_t *part_end)
{
	struct region region;
	while (*at < end && region_copy_next(*at, &region) && region.start < end) {
		if (region_armed(&region)) {
			*at = region.start > *at ? region.start : *at;
			*part_end = region.end < end ? region.end : end;
			return true;
		}
		*at = region.end;
	}
	return false;
}

/*
 * Whether a page of [start, end) is closed. Pins the range, since it is about to be written: all of
 * it, for the first fork protects what is not even watched now.
 */
static bool pin_range(uintptr_t start, uintptr_t end, uintptr_t frame)
{
	bool closed = false;
	uintptr_t part_end;
	guard_pin(start, end, frame);
	for (uintptr_t at = start; !closed && armed_part(&at, end, &part_end); at = part_end)
		for (uintptr_t page = page_floor(at); page < part_end && !closed; page += PAGE_SIZE)
			closed = !pages_is_open(page);
	return closed;
}

bool kernel_pin(const struct kernel_call *call, uintptr_t frame)
{
	bool closed = false;
	for (unsigned i = 0; i < call->range_count; i++) {
		const struct output_range *range = &call->ranges[i];
		closed |= pin_range(range->start, range->start + range->length, frame);
	}
	return closed;
}

static void opened_add(struct kernel_call *call, uintptr_t page, enum write_kind kind)
{
	if (call->opened_count < call->opened_most)
		call->opened[call->opened_count++] = (struct opened_page){.page = page,
									  .kind = (uint8_t)kind};
}

static size_t armed_pages(uintptr_t start, uintptr_t end)
{
	size_t pages = 0;
	uintptr_t part_end;
	for (uintptr_t at = start; armed_part(&at, end, &part_end); at = part_end)
		pages += (part_end - at) / PAGE_SIZE + 2;
	return pages;
}

/* Room for every page of the ranges, so that opening needs no allocation under the lock. */
static void opened_reserve(struct kernel_call *call)
{
	size_t most = 0;
	for (unsigned i = 0; i < call->range_count; i++)
		most += armed_pages(call->ranges[i].start,
				    call->ranges[i].start + call->ranges[i].length);
	call->opened = call->opened_few;
	call->opened_most = KERNEL_OPENED_FEW;
	if (most <= KERNEL_OPENED_FEW)
		return;
	struct opened_page *many = memory_map(most * sizeof(*many));
	if (!many)
		return;
	call->opened = many;
	call->opened_most = most;
}

/* The kinds of freshly claimed pages, from the kernel's states of the run that they form. */
struct kinds {
	const struct region *region;
	struct opened_page *opened;
	uintptr_t start;
};

static enum write_kind kind_of(const struct region *region, uintptr_t page, page_flags_t flags)
{
	if (flags & PAGE_ZERO)
		return KIND_ZERO;
	if (flags & PAGE_MARKER && !pages_was_empty(page))
		return KIND_UNKNOWN; /* swapped out */
	if (!page_is_copied(flags))
		return region->file ? KIND_FILE : KIND_FILL;
	if (flags & PAGE_SWAPPED)
		return KIND_UNKNOWN; /* the kernel does not say who else has the swapped page */
	return flags & PAGE_EXCLUSIVE ? KIND_REUSE : KIND_FORK;
}

static void set_kinds(uintptr_t start, uintptr_t end, page_flags_t flags, void *context)
{
	struct kinds *kinds = context;
	for (uintptr_t page = start; page < end; page += PAGE_SIZE)
		kinds->opened[(page - kinds->start) / PAGE_SIZE].kind = (uint8_t)kind_of(
			kinds->region, page, flags);
}

/* Claim the closed pages from start on that lie side by side. Returns the end of the run. */
static uintptr_t claim_run(struct kernel_call *call, uintptr_t start, uintptr_t end,
			   enum write_kind kind)
{
	uintptr_t page = start;
	while (page < end && !pages_is_open(page) && pages_claim(page)) {
		opened_add(call, page, kind);
		page += PAGE_SIZE;
	}
	return page;
}

/* Before anybody can write there. */
static void take_originals(struct kernel_call *call, size_t first)
{
	for (size_t i = first; i < call->opened_count; i++) {
		struct opened_page *opened = &call->opened[i];
		opened->original = originals_take(opened->page, (enum write_kind)opened->kind);
	}
}

/* Read lock: claim and open the closed pages of [start, end) in one region, run by run. */
static int open_part(struct kernel_call *call, const struct region *region, uintptr_t start,
		     uintptr_t end, struct output_range *failed)
{
	int error = 0;
	for (uintptr_t page = page_floor(start); page < end && !error;) {
		size_t first = call->opened_count;
		uintptr_t run = claim_run(call, page, end, region->file ? KIND_FILE : KIND_FILL);
		if (run == page) {
			page += PAGE_SIZE;
			continue;
		}
		struct kinds kinds = {region, &call->opened[first], page};
		if (call->opened_count - first == (run - page) / PAGE_SIZE)
			truth_runs(page, run, set_kinds, &kinds);
		take_originals(call, first);
		error = guard_open_run(region, page, run);
		*failed = (struct output_range){page, run - page};
		page = run;
	}
	return error;
}

static int open_range(struct kernel_call *call, uintptr_t start, uintptr_t end,
		      struct output_range *failed)
{
	const struct region *region;
	int error = 0;
	while (!error && start < end && (region = region_find(start, true)) &&
	       region->start < end) {
		uintptr_t at = region->start > start ? region->start : start;
		uintptr_t part_end = region->end < end ? region->end : end;
		if (region_armed(region))
			error = open_part(call, region, at, part_end, failed);
		start = part_end;
	}
	return error;
}

/* Read lock. On an error the pages of *failed are claimed and not open yet. */
static int open_ranges(struct kernel_call *call, struct output_range *failed)
{
	int error = 0;
	for (unsigned i = 0; i < call->range_count && !error; i++)
		error = open_range(call, call->ranges[i].start,
				   call->ranges[i].start + call->ranges[i].length, failed);
	return error;
}

static void publish(const struct kernel_call *call)
{
	uintptr_t start = UINTPTR_MAX, end = 0;
	for (unsigned i = 0; i < call->range_count; i++) {
		const struct output_range *range = &call->ranges[i];
		start = range->start < start ? range->start : start;
		end = range->start + range->length > end ? range->start + range->length : end;
	}
	guard_opening(page_floor(start), page_ceil(end));
}

void kernel_open(struct kernel_call *call)
{
	struct output_range failed;
	sigmask_t mask;
	int error;
	opened_reserve(call);
	lock_read_masked(&mask);
	publish(call);
	while ((error = open_ranges(call, &failed))) {
		lock_read_end();
		guard_open_more(failed.start, failed.start + failed.length);
		lock_read();
	}
	lock_read_end();
	guard_opened();
	sys_sigmask_restore(&mask);
}

struct populated {
	struct kernel_call *call;
	const struct region *region;
};

static void populated_run(uintptr_t start, uintptr_t end, page_flags_t flags, void *context)
{
	struct populated *populated = context;
	if (!page_is_copied(flags))
		return;
	for (uintptr_t page = start; page < end; page += PAGE_SIZE) {
		if (!pages_claim(page))
			continue;
		opened_add(populated->call, page, populated->region->file ? KIND_FILE : KIND_FILL);
	}
}

void kernel_claim_copied(struct kernel_call *call, const struct region *region, uintptr_t start,
			 uintptr_t end)
{
	struct populated populated = {call, region};
	opened_reserve(call);
	truth_runs(start, end, populated_run, &populated);
	take_originals(call, 0);
	for (size_t i = 0; i < call->opened_count; i++)
		call->opened[i].written = true;
}

/* The claimed pages, run by run. */
int kernel_open_claimed(const struct kernel_call *call, const struct region *region)
{
	int error = 0;
	for (size_t i = 0, next; i < call->opened_count && !error; i = next) {
		uintptr_t start = call->opened[i].page, end = start;
		for (next = i; next < call->opened_count && call->opened[next].page == end; next++)
			end += PAGE_SIZE;
		error = guard_open_run(region, start, end);
	}
	return error;
}

void kernel_opened_release(struct kernel_call *call)
{
	if (call->opened && call->opened != call->opened_few)
		memory_unmap(call->opened, call->opened_most * sizeof(*call->opened));
}
