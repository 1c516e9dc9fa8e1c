#include "handover.h"

#include <errno.h>

#include "base/sys.h"
#include "budget.h"
#include "guard.h"
#include "observe/truth.h"
#include "pages.h"
#include "userfault.h"

#define BLOCK_SIZE ((uintptr_t)2 << 20)
#define EXTENT_MOST ((uintptr_t)1 << 30)

/* Runs that a hand-over shall free, so that its cost spreads over as many first writes. */
#define RUNS_WANTED 16

/* Marks need page tables, 4 KiB for each 2 MiB. */
#define SPARSEST ((uintptr_t)32 << 20)

static uint64_t handed_pages;

struct extent {
	uintptr_t start, end;
};

static struct extent extent_at(const struct region *region, uintptr_t page, uintptr_t size)
{
	struct extent extent = {page & ~(size - 1), (page & ~(size - 1)) + size};
	if (extent.start < region->start)
		extent.start = region->start;
	if (extent.end > region->end)
		extent.end = region->end;
	return extent;
}

/* The smallest around the page that frees enough. False where all is too sparse. */
static bool extent_find(const struct region *region, uintptr_t page, struct extent *extent)
{
	uintptr_t size = BLOCK_SIZE, pieces;
	for (;; size *= 2) {
		*extent = extent_at(region, page, size);
		pieces = (uintptr_t)budget_pieces(extent->start, extent->end);
		bool whole = extent->start == region->start && extent->end == region->end;
		if (pieces >= RUNS_WANTED || whole || size == EXTENT_MOST)
			break;
	}
	return extent->end - extent->start <= pieces * SPARSEST;
}

/* Between the runs of pages that hold something. */
static void note_empty(uintptr_t start, uintptr_t end, page_flags_t flags, void *context)
{
	uintptr_t *at = context;
	(void)flags;
	pages_note_empty(*at, start);
	*at = end;
}

static int note_all_empty(uintptr_t start, uintptr_t end)
{
	uintptr_t at = start;
	int error = truth_runs(start, end, note_empty, &at);
	if (!error)
		pages_note_empty(at, end);
	return error;
}

/*
 * Closed pages get their mark while their VMA still refuses writes. Open ones get none, not even
 * for a moment: the kernel may be writing them for a system call.
 */
static int mark_closed(uintptr_t start, uintptr_t end)
{
	int error = 0;
	while (start < end && !error) {
		uintptr_t run, run_end;
		if (!pages_next(PAGES_WRITABLE, start, end, &run, &run_end))
			run = run_end = end;
		if (run > start)
			error = userfault_protect(start, run);
		start = run_end;
	}
	return error;
}

static int hand_over(const struct region *region, const struct extent *extent)
{
	uintptr_t start = extent->start, end = extent->end;
	int error = note_all_empty(start, end);
	if (!error)
		error = userfault_register(start, end);
	if (!error)
		error = mark_closed(start, end);
	if (!error && !pages_hand_over(start, end))
		error = -ENOMEM;
	if (!error)
		error = guard_protect(start, end, region->protection);
	return error;
}

bool handover_around(struct region *region, uintptr_t page)
{
	struct extent extent;
	if (region->file || !userfault_ready() || !extent_find(region, page, &extent))
		return false;
	uintptr_t start = extent.start, end = extent.end;
	long before = budget_runs(start, end);
	bool done = hand_over(region, &extent) == 0;
	if (done) {
		handed_pages += (end - start) / PAGE_SIZE;
	} else {
		pages_hand_over(start, end);
		handover_take_back(region, start, end);
		userfault_unregister(start, end);
	}
	budget_changed(before, start, end);
	return done;
}

/* The VMAs refuse writes to closed pages before the marks go. */
static int take_back_run(const struct region *region, uintptr_t start, uintptr_t end)
{
	int error = 0;
	for (uintptr_t at = start, run, run_end; at < end && !error; at = run_end) {
		if (!pages_next(PAGES_OPEN, at, end, &run, &run_end))
			run = run_end = end;
		if (run > at)
			error = guard_protect(at, run, guard_closed_protection(region));
	}
	userfault_unregister(start, end);
	pages_take_back(start, end);
	return error;
}

int handover_take_back(const struct region *region, uintptr_t start, uintptr_t end)
{
	uintptr_t run, run_end;
	int error = 0, first = 0;
	for (; pages_next(PAGES_HANDED, start, end, &run, &run_end); start = run_end) {
		error = take_back_run(region, run, run_end);
		first = first ? first : error;
	}
	return first;
}

void handover_child(void)
{
	handed_pages = 0;
	userfault_child();
}

uint64_t handover_pages(void)
{
	return handed_pages;
}
