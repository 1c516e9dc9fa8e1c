#include "forks.h"

#include "fault.h"
#include "guard.h"
#include "in_flight.h"
#include "lock.h"
#include "mappings.h"
#include "observe/truth.h"
#include "pages.h"
#include "record/journal.h"
#include "record/labels.h"
#include "record/trace.h"
#include "recording.h"
#include "regions.h"
#include "robust_lists.h"
#include "threads.h"

static bool others_pinned;
static uint64_t fork_time;

/* Pages that calls in flight of other threads have pinned stay open on the parent's side. */
static bool pins_of_others(void)
{
	if (in_flight_any())
		return true;
	for (struct thread *t = thread_first(); t; t = thread_next(t))
		if (t != thread_self() && atomic_load(&t->pin_count))
			return true;
	return false;
}

/* Not in the child, or empty there (madvise): its pages are not shared by a fork. */
static bool stays_here(const struct region *region)
{
	return region->advice & (ADVICE_DONTFORK | ADVICE_WIPEONFORK);
}

void forks_prepare(void)
{
	in_flight_check();
	others_pinned = pins_of_others();
	fork_time = sys_now();
	for (struct region *r = region_find(0, true); r; r = region_find(r->end, true)) {
		if (stays_here(r))
			continue;
		r->shared_since_fork = true;
		guard_close(r, r->start, r->end, false);
	}
	others_pinned |= robust_lists_open();
}

void forks_parent(const sigmask_t *mask, long child)
{
	if (child > 0)
		trace_fork(fork_time, ++process_epoch, (uint32_t)child);
	lock_write_end_masked(mask);
}

static void child_enters(struct region *region)
{
	if (region->advice & ADVICE_DONTFORK) {
		mappings_remove(region->start, region->end);
	} else if (region->advice & ADVICE_WIPEONFORK) {
		mappings_dropped(region->start, region->end, true);
		region->shared_since_fork = region->inherited = false;
	} else {
		region->inherited = true;
		if (others_pinned) /* by threads that do not exist here */
			guard_close(region, region->start, region->end, false);
	}
}

void forks_child(const sigmask_t *mask)
{
	process_pid = (int)sys_call0(SYS_getpid);
	process_epoch++;
	thread_child();
	in_flight_none();
	truth_child();
	journal_begin();
	trace_child(fork_time, process_epoch);
	labels_child();
	recording_child();
	lock_child();
	uintptr_t end;
	for (struct region *r = region_find(0, true); r; r = region_find(end, true)) {
		end = r->end;
		child_enters(r);
	}
	lock_write_end_masked(mask);
}
