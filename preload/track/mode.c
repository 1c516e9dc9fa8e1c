#include "mode.h"

#include <errno.h>
#include <string.h>

#include "budget.h"
#include "fault.h"
#include "guard.h"
#include "lock.h"
#include "mappings.h"
#include "observe/truth.h"
#include "pages.h"
#include "record/labels.h"

static bool is_exact = true, can_switch;

void mode_start(bool exact, bool switchable)
{
	is_exact = exact;
	can_switch = switchable;
	if (!exact)
		mappings_give_up_all(REGION_MODE);
}

bool mode_is_exact(void)
{
	return is_exact;
}

/*
 * Pages that this process has alone have had their first write: they stay open. What is shared since
 * a fork, or holds nothing, has yet to be written.
 */
static void claim_written(uintptr_t start, uintptr_t end, page_flags_t flags, void *context)
{
	const struct region *region = context;
	bool alone = flags & (PAGE_EXCLUSIVE | PAGE_SWAPPED) || !region->shared_since_fork;
	for (; page_is_copied(flags) && alone && start < end; start += PAGE_SIZE)
		pages_claim(start);
}

/*
 * All is closed before the kernel is asked: a write by another thread comes before, and is in its
 * answer, or is refused, and waits for the lock.
 */
static void protect(struct region *region)
{
	struct region before = *region;
	region->limit = REGION_PROTECTED;
	region_armed_changed(&before, region);
	if (!region_armed(region))
		return;
	guard_close(region, region->start, region->end, false);
	guard_apply(region, region->start, region->end);
	long runs = budget_runs(region->start, region->end);
	if (truth_runs(region->start, region->end, claim_written, region))
		region->shared_since_fork = true;
	budget_changed(runs, region->start, region->end);
	if (region_armed(region))
		guard_apply(region, region->start, region->end);
}

static void protect_all(void)
{
	struct region *region = region_find(0, true);
	for (; region; region = region_find(region->end, true))
		if (region->limit == REGION_MODE)
			protect(region);
}

int mode_set(bool exact)
{
	static const char *const labels[] = {"mode: truth from here", "mode: exact from here"};
	sigmask_t mask;
	if (!can_switch)
		return exact == is_exact ? 0 : -ENOTSUP;
	lock_write_masked(&mask);
	bool change = is_exact != exact;
	is_exact = exact;
	if (change && exact) {
		mappings_give_up_none();
		protect_all();
	} else if (change) {
		mappings_give_up_all(REGION_MODE);
	}
	lock_write_end_masked(&mask);
	if (change) {
		sys_sigmask_block(&mask);
		labels_add(labels[exact], strlen(labels[exact]), process_epoch);
		sys_sigmask_restore(&mask);
	}
	return 0;
}
