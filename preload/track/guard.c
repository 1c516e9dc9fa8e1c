#include "guard.h"

#include <errno.h>
#include <stdatomic.h>
#include <sys/mman.h>

#include "base/options.h"
#include "base/sys.h"
#include "budget.h"
#include "fault.h"
#include "handover.h"
#include "in_flight.h"
#include "lock.h"
#include "pages.h"
#include "record/trace.h"
#include "threads.h"
#include "userfault.h"

#define BLOCK_SIZE ((uintptr_t)2 << 20)
#define EXTENT_MOST ((uintptr_t)1 << 30)
#define STACK_NEIGHBOURHOOD ((uintptr_t)64 << 10)

static _Atomic uint64_t calls;
static _Atomic uint64_t opened_unseen;
static _Atomic unsigned opening; /* threads */

int guard_protect(uintptr_t start, uintptr_t end, int protection)
{
	atomic_fetch_add_explicit(&calls, 1, memory_order_relaxed);
	return (int)sys_call3(SYS_mprotect, start, end - start, protection);
}

/* On x86-64 PROT_WRITE alone implies reading, which must stay possible. */
int guard_closed_protection(const struct region *region)
{
	if (!region_armed(region))
		return region->protection;
	return (region->protection & ~PROT_WRITE) | PROT_READ;
}

/* SIGBUS may come from now on, and must never be blocked then. */
void guard_start(void)
{
	budget_start();
	if (userfault_start())
		sys_faults |= SIGMASK(SIGBUS);
}

static bool any(enum pages_wanted which, uintptr_t start, uintptr_t end)
{
	uintptr_t run, run_end;
	return pages_next(which, start, end, &run, &run_end);
}

void guard_forget(uintptr_t start, uintptr_t end)
{
	long before = budget_runs(start, end);
	pages_forget(start, end);
	budget_changed(before, start, end);
}

static int open_apart(const struct region *region, uintptr_t start, uintptr_t end)
{
	if (!budget_opening(region, start, end))
		return -ENOMEM;
	return guard_protect(start, end, region->protection);
}

int guard_open_run(const struct region *region, uintptr_t start, uintptr_t end)
{
	int error = 0;
	for (uintptr_t run, run_end; start < end && !error; start = run_end) {
		if (!pages_next(PAGES_HANDED, start, end, &run, &run_end))
			run = run_end = end;
		if (run > start)
			error = open_apart(region, start, run);
		if (run_end > run && !error)
			error = userfault_open(run, run_end);
	}
	return error;
}

int guard_open_again(const struct region *region, uintptr_t page)
{
	return pages_is_handed(page) ? userfault_open(page, page + PAGE_SIZE)
				     : guard_protect(page, page + PAGE_SIZE, region->protection);
}

static uintptr_t most(uintptr_t a, uintptr_t b)
{
	return a > b ? a : b;
}

static uintptr_t least(uintptr_t a, uintptr_t b)
{
	return a < b ? a : b;
}

static void claim_pages(uintptr_t start, uintptr_t end, uintptr_t pin_start, uintptr_t pin_end)
{
	uintptr_t at = most(start, page_floor(pin_start)), stop = least(end, page_ceil(pin_end));
	for (; at < stop; at += PAGE_SIZE)
		if (pages_claim(at) && pages_is_handed(at))
			userfault_open(at, at + PAGE_SIZE);
}

/* Ended without taking its pins back: it was cancelled. */
static bool is_gone(struct thread *thread)
{
	return sys_call3(SYS_tgkill, process_pid, atomic_load(&thread->tid), 0) == -ESRCH;
}

/* Open, without an event, the pages of [start, end) that some thread has pinned. */
static void claim_pinned(uintptr_t start, uintptr_t end)
{
	uintptr_t pin_start, pin_end;
	for (unsigned next = 0; in_flight_range(&next, &pin_start, &pin_end);)
		claim_pages(start, end, pin_start, pin_end);
	for (struct thread *t = thread_first(); t; t = thread_next(t)) {
		unsigned count = atomic_load(&t->pin_count);
		if (count && is_gone(t))
			continue;
		for (unsigned i = 0; i < count && i < THREAD_PINS; i++)
			claim_pages(start, end, t->pins[i].start, t->pins[i].end);
	}
}

/*
 * Open pages are never closed here, not even for a moment: the kernel may be writing them for a
 * system call.
 */
static void apply(struct region *region, uintptr_t start, uintptr_t end)
{
	int error = 0;
	claim_pinned(start, end);
	for (uintptr_t run, run_end; start < end && !error; start = run_end) {
		if (!pages_next(PAGES_WRITABLE, start, end, &run, &run_end))
			run = run_end = end;
		if (run_end > run)
			error = guard_protect(run, run_end, region->protection);
		if (run > start && !error)
			error = guard_protect(start, run, guard_closed_protection(region));
	}
	if (error)
		guard_give_up(region, REGION_NO_VMA);
}

void guard_apply(struct region *region, uintptr_t start, uintptr_t end)
{
	if (!region_armed(region)) {
		guard_protect(start, end, region->protection);
		return;
	}
	long before = budget_runs(start, end);
	apply(region, start, end);
	budget_changed(before, start, end);
}

void guard_close(struct region *region, uintptr_t start, uintptr_t end, bool dropped)
{
	long before = budget_runs(start, end);
	bool change = any(PAGES_WRITABLE, start, end);
	if (dropped)
		pages_drop(start, end);
	else
		pages_arm(start, end);
	if (!change)
		return;
	claim_pinned(start, end);
	if (handover_take_back(region, start, end))
		guard_give_up(region, REGION_NO_VMA);
	if (region_armed(region))
		apply(region, start, end);
	budget_changed(before, start, end);
}

static void take_back(struct region *region, uintptr_t start, uintptr_t end, bool closing)
{
	if (!any(PAGES_HANDED, start, end))
		return;
	long before = budget_runs(start, end);
	int error = 0;
	if (closing) {
		error = guard_protect(start, end, guard_closed_protection(region));
		userfault_unregister(start, end);
		pages_take_back(start, end);
	} else {
		error = handover_take_back(region, start, end);
	}
	budget_changed(before, start, end);
	if (error)
		guard_give_up(region, REGION_NO_VMA);
}

void guard_take_back(uintptr_t start, uintptr_t end, bool closing)
{
	struct region *region = region_find(start, true);
	for (; region && region->start < end; region = region_find(region->end, true))
		take_back(region, most(region->start, start), least(region->end, end), closing);
}

void guard_end_handover(void)
{
	guard_take_back(0, ~(uintptr_t)0, false);
	userfault_end();
}

void guard_give_up(struct region *region, enum region_limit why)
{
	struct region before = *region;
	region->limit = why;
	region_armed_changed(&before, region);
	trace_limit(region->start, region->end, why);
	guard_protect(region->start, region->end, region->protection);
	if (any(PAGES_HANDED, region->start, region->end)) {
		long runs = budget_runs(region->start, region->end);
		userfault_unregister(region->start, region->end);
		pages_take_back(region->start, region->end);
		budget_changed(runs, region->start, region->end);
	}
}

void guard_give_up_range(uintptr_t start, uintptr_t end, enum region_limit why)
{
	struct region *region;
	while ((region = region_find(start, true)) && region->start < end) {
		bool is_mode = region->limit == REGION_MODE && why != REGION_MODE;
		if (region->limit == REGION_PROTECTED || is_mode)
			guard_give_up(region, why);
		start = region->end;
	}
}

void guard_exempt(uintptr_t start, uintptr_t end, enum region_limit why)
{
	const struct region *first = region_find(start, true);
	if (!first || first->start >= end)
		return;
	region_split(start);
	region_split(end);
	guard_give_up_range(start, end, why);
}

/* The stack that the exemption itself needs must not fault under the lock. */
static __attribute__((noinline)) void touch_stack(void)
{
	volatile char room[2 * PAGE_SIZE];
	room[0] = room[PAGE_SIZE] = room[sizeof(room) - 1] = 0;
}

void guard_exempt_stack(uintptr_t pointer)
{
	struct region region;
	if (!region_peek(pointer, &region) || !region_armed(&region))
		return;
	touch_stack();
	lock_write();
	const struct region *found = region_find(pointer, false);
	if (found && region_armed(found)) {
		uintptr_t start = page_floor(pointer - STACK_NEIGHBOURHOOD);
		uintptr_t end = page_ceil(pointer + STACK_NEIGHBOURHOOD);
		guard_exempt(start > pointer ? found->start : most(start, found->start),
			     least(end, found->end), REGION_STACK);
	}
	lock_write_end();
}

void guard_child(void)
{
	atomic_store(&opening, 0);
	atomic_store(&calls, 0);
	budget_child();
	handover_child();
}

/* The smallest around the page that frees at least one VMA; the page alone where there is none. */
static uintptr_t block_around(const struct region *region, uintptr_t page, uintptr_t *end)
{
	for (uintptr_t size = BLOCK_SIZE; size <= EXTENT_MOST; size *= 2) {
		uintptr_t start = most(page & ~(size - 1), region->start);
		*end = least((page & ~(size - 1)) + size, region->end);
		if (budget_pieces(start, *end) > 1)
			return start;
	}
	*end = page + PAGE_SIZE;
	return page;
}

/* Without events: the kernel will tell what was written there. */
static void open_block(struct region *region, uintptr_t page)
{
	uintptr_t end, start = block_around(region, page, &end);
	long before = budget_runs(start, end);
	int error = handover_take_back(region, start, end);
	for (uintptr_t at = start; at < end; at += PAGE_SIZE)
		opened_unseen += pages_claim(at);
	if (!error)
		error = guard_protect(start, end, region->protection);
	budget_changed(before, start, end);
	if (error)
		guard_give_up(region, REGION_NO_VMA);
}

static bool open_alone(const struct region *region, uintptr_t page)
{
	return budget_left() && !guard_protect(page, page + PAGE_SIZE, region->protection);
}

/* Where opening stopped short, claimed pages have userfaultfd's mark yet. */
static void open_handed(uintptr_t start, uintptr_t end)
{
	uintptr_t handed, handed_end, run, run_end;
	for (; pages_next(PAGES_HANDED, start, end, &handed, &handed_end); start = handed_end)
		for (; pages_next_open(handed, handed_end, &run, &run_end); handed = run_end)
			userfault_open(run, run_end);
}

/* Another fork may have closed the pages meanwhile. */
void guard_open_more_locked(uintptr_t start, uintptr_t end)
{
	struct region *region = region_find(start, false);
	if (!region || !region_armed(region))
		return;
	if (pages_is_open(start) && !handover_around(region, start) && !open_alone(region, start))
		open_block(region, start);
	end = least(end, region->end);
	if (end <= start + PAGE_SIZE || !region_armed(region))
		return;
	open_handed(start, end);
	guard_apply(region, start, end);
}

void guard_open_more(uintptr_t start, uintptr_t end)
{
	lock_write();
	guard_open_more_locked(start, end);
	lock_write_end();
}

void guard_opening(uintptr_t start, uintptr_t end)
{
	struct thread *self = thread_self();
	if (!self)
		return;
	atomic_store(&self->opening_end, end);
	atomic_store(&self->opening_start, start);
	atomic_fetch_add(&opening, 1);
}

void guard_opened(void)
{
	struct thread *self = thread_self();
	if (!self)
		return;
	atomic_store(&self->opening_end, 0);
	atomic_fetch_sub(&opening, 1);
}

static bool is_being_opened(uintptr_t start, uintptr_t end)
{
	for (struct thread *t = thread_first(); t; t = thread_next(t))
		if (atomic_load(&t->opening_start) < end && start < atomic_load(&t->opening_end))
			return true;
	return false;
}

/* Who opens pages holds the read lock, or is about to take the write lock. */
void guard_wait_opened(uintptr_t start, uintptr_t end)
{
	sigmask_t mask;
	while (atomic_load(&opening) && is_being_opened(start, end)) {
		lock_write_masked(&mask);
		lock_write_end_masked(&mask);
	}
}

void guard_pin(uintptr_t start, uintptr_t end, uintptr_t frame)
{
	struct thread *self = thread_meet();
	if (!self)
		return;
	unsigned count = atomic_load_explicit(&self->pin_count, memory_order_relaxed);
	if (count == THREAD_PINS) {
		/* One pin over all: opens more than needed, loses nothing. */
		struct pin *last = &self->pins[THREAD_PINS - 1];
		last->start = least(last->start, start);
		last->end = most(last->end, end);
		return;
	}
	self->pins[count] = (struct pin){start, end, frame};
	atomic_store(&self->pin_count, count + 1);
}

unsigned guard_pins(uintptr_t frame)
{
	struct thread *self = thread_self();
	unsigned count = self ? atomic_load_explicit(&self->pin_count, memory_order_relaxed) : 0;
	if (!count || !thread_frame_left(self, self->pins[count - 1].frame, frame))
		return count;
	while (count && thread_frame_left(self, self->pins[count - 1].frame, frame))
		count--;
	atomic_store(&self->pin_count, count);
	return count;
}

void guard_unpin_to(unsigned count)
{
	struct thread *self = thread_self();
	if (self)
		atomic_store(&self->pin_count, count);
}

uint64_t guard_opened_unseen(void)
{
	return opened_unseen;
}

uint64_t guard_calls(void)
{
	return atomic_load_explicit(&calls, memory_order_relaxed);
}
