#include "guard.h"

#include <errno.h>
#include <fcntl.h>
#include <stdatomic.h>
#include <sys/mman.h>

#include "base/sys.h"
#include "fault.h"
#include "in_flight.h"
#include "lock.h"
#include "pages.h"
#include "record/trace.h"
#include "threads.h"

#define BLOCK_SIZE ((uintptr_t)2 << 20)
#define STACK_NEIGHBOURHOOD ((uintptr_t)64 << 10)

static _Atomic uint64_t calls;
static _Atomic uint64_t opened_unseen;

static int protect(uintptr_t start, uintptr_t end, int protection)
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

/*
 * Each run of open pages in a closed region costs two VMAs more. Runs are counted as pages open
 * and ranges close; regions that the program splits itself make the count a little too low, which
 * half of the kernel's limit leaves room for.
 */
#define MAP_COUNT_DEFAULT 65530
static _Atomic long runs;
static long runs_most = MAP_COUNT_DEFAULT / 4;

void guard_start(void)
{
	char digits[24] = "";
	long fd = sys_call3(SYS_open, "/proc/sys/vm/max_map_count", O_RDONLY | O_CLOEXEC, 0);
	long most = 0;
	if (fd < 0)
		return;
	sys_call3(SYS_read, fd, digits, sizeof(digits) - 1);
	sys_call1(SYS_close, fd);
	for (const char *digit = digits; *digit >= '0' && *digit <= '9'; digit++)
		most = most * 10 + (*digit - '0');
	if (most > 0)
		runs_most = most / 4;
}

/* How opening a run of closed pages changes the number of runs. */
static long runs_added(const struct region *region, uintptr_t start, uintptr_t end)
{
	bool below = start > region->start && pages_is_open(start - PAGE_SIZE);
	bool above = end < region->end && pages_is_open(end);
	return 1 - below - above;
}

static long runs_in(uintptr_t start, uintptr_t end)
{
	uintptr_t run, run_end;
	long count = 0;
	for (; pages_next_open(start, end, &run, &run_end); start = run_end)
		count++;
	return count;
}

bool guard_closing(uintptr_t start, uintptr_t end)
{
	long closing = runs_in(start, end);
	atomic_fetch_sub_explicit(&runs, closing, memory_order_relaxed);
	return closing;
}

int guard_open(const struct region *region, uintptr_t page)
{
	return guard_open_run(region, page, page + PAGE_SIZE);
}

int guard_open_run(const struct region *region, uintptr_t start, uintptr_t end)
{
	long added = runs_added(region, start, end);
	if (atomic_fetch_add_explicit(&runs, added, memory_order_relaxed) + added > runs_most &&
	    added > 0) {
		atomic_fetch_sub_explicit(&runs, added, memory_order_relaxed);
		return -ENOMEM;
	}
	return protect(start, end, region->protection);
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
		pages_claim(at);
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
 * Closed pages and open ones, run by run: an open page may be one that the kernel is writing for
 * another thread right now, so it is never closed in between.
 */
static int protect_runs(const struct region *region, uintptr_t start, uintptr_t end)
{
	int error = 0;
	while (!error && start < end) {
		uintptr_t run, run_end;
		if (!pages_next_open(start, end, &run, &run_end))
			run = run_end = end;
		if (run > start)
			error = protect(start, run, guard_closed_protection(region));
		if (!error && run_end > run)
			error = protect(run, run_end, region->protection);
		start = run_end;
	}
	return error;
}

void guard_apply(struct region *region, uintptr_t start, uintptr_t end)
{
	if (!region_armed(region)) {
		protect(start, end, region->protection);
		return;
	}
	claim_pinned(start, end);
	if (protect_runs(region, start, end))
		guard_give_up(region, REGION_NO_VMA);
}

void guard_close_all(struct region *region, uintptr_t start, uintptr_t end, bool dropped)
{
	bool opened = guard_closing(start, end);
	if (dropped)
		pages_drop(start, end);
	else
		pages_arm(start, end);
	if (!opened)
		return;
	if (region_armed(region))
		guard_apply(region, start, end);
	atomic_fetch_add_explicit(&runs, runs_in(start, end), memory_order_relaxed);
}

void guard_close_run(struct region *region, uintptr_t start, uintptr_t end)
{
	uintptr_t below = start > region->start ? start - PAGE_SIZE : start;
	uintptr_t above = end < region->end ? end + PAGE_SIZE : end;
	long before = runs_in(below, above);
	pages_arm(start, end);
	guard_apply(region, start, end);
	atomic_fetch_add_explicit(&runs, runs_in(below, above) - before, memory_order_relaxed);
}

void guard_give_up(struct region *region, enum region_limit why)
{
	struct region before = *region;
	region->limit = why;
	region_armed_changed(&before, region);
	trace_limit(region->start, region->end, why);
	protect(region->start, region->end, region->protection);
}

void guard_give_up_range(uintptr_t start, uintptr_t end, enum region_limit why)
{
	struct region *region;
	while ((region = region_find(start, true)) && region->start < end) {
		if (region->limit == REGION_PROTECTED)
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
	atomic_store(&calls, 0);
}

void guard_open_range(struct region *region, uintptr_t start, uintptr_t end)
{
	start = most(start, region->start);
	end = least(end, region->end);
	guard_closing(start, end);
	atomic_fetch_add_explicit(&runs, 1, memory_order_relaxed);
	for (uintptr_t page = start; page < end; page += PAGE_SIZE)
		pages_claim(page);
	if (protect(start, end, region->protection))
		guard_give_up(region, REGION_NO_VMA);
}

void guard_open_more(uintptr_t page)
{
	lock_write();
	struct region *region = region_find(page, false);
	if (region && region_armed(region)) {
		uintptr_t block = page & ~(BLOCK_SIZE - 1);
		opened_unseen += BLOCK_SIZE / PAGE_SIZE;
		guard_open_range(region, block, block + BLOCK_SIZE);
	}
	lock_write_end();
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
