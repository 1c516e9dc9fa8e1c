#include "kernel_writes.h"

#include <errno.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <sys/epoll.h>

#include "base/memory.h"
#include "base/sys.h"
#include "fault.h"
#include "guard.h"
#include "lock.h"
#include "observe/stacks.h"
#include "observe/truth.h"
#include "pages.h"
#include "recording.h"
#include "syscall_table.h"
#include "threads.h"

#define RANGES_FEW 8
#define RANGES_MANY 2048
#define RANGES_MOST (RANGES_MANY << 9) /* recvmmsg: 1024 messages of 1024 parts each */
#define OPENED_FEW 8

/* A page opened for a call, and what it was before. */
struct opened_page {
	uintptr_t page;
	uint8_t kind;
	bool written;
};

struct call {
	long nr;
	long result;
	uintptr_t caller;
	enum write_cause cause;
	const void *copy_from; /* instead of a system call: fill the one range from here */
	bool captured;         /* the stack is known */
	uint32_t stack;
	struct output_range *ranges;
	unsigned range_count;
	size_t ranges_most; /* room mapped for them, if `few` is not enough */
	struct opened_page *opened;
	size_t opened_count;
	size_t opened_most;
	struct output_range few[RANGES_FEW];
	struct opened_page opened_few[OPENED_FEW];
};

/* Leaves the arrays at the end as they are: clearing them would cost more than all else. */
static void call_begin(struct call *call, long nr, uintptr_t caller, enum write_cause cause)
{
	call->nr = nr;
	call->result = 0;
	call->caller = caller;
	call->cause = cause;
	call->copy_from = NULL;
	call->captured = false;
	call->stack = 0;
	call->ranges = call->few;
	call->range_count = 0;
	call->ranges_most = 0;
	call->opened = NULL;
	call->opened_count = 0;
	call->opened_most = 0;
}

static void call_begin_range(struct call *call, long nr, uintptr_t caller, enum write_cause cause,
			     uintptr_t start, uintptr_t length)
{
	call_begin(call, nr, caller, cause);
	call->few[0] = (struct output_range){start, length};
	call->range_count = 1;
}

static void call_end(struct call *call)
{
	if (call->opened && call->opened != call->opened_few)
		memory_unmap(call->opened, call->opened_most * sizeof(*call->opened));
	if (call->ranges_most)
		memory_unmap(call->ranges, call->ranges_most * sizeof(*call->ranges));
}

static int read_program(void *to, uintptr_t from, uintptr_t length)
{
	return sys_copy(to, (const void *)from, length);
}

static void ranges_find_many(struct call *call, const long args[6], size_t most)
{
	struct output_range *many = memory_map(most * sizeof(*many));
	if (!many)
		return;
	unsigned count = syscall_outputs(call->nr, args, many, (unsigned)most, read_program);
	if (count > most) {
		memory_unmap(many, most * sizeof(*many));
		return;
	}
	call->ranges = many;
	call->ranges_most = most;
	call->range_count = count;
}

/* Too many for any memory: everything may be written. */
static void ranges_find(struct call *call, const long args[6])
{
	call->range_count = syscall_outputs(call->nr, args, call->few, RANGES_FEW, read_program);
	if (call->range_count <= RANGES_FEW)
		return;
	call->few[0] = (struct output_range){PAGE_SIZE, INTPTR_MAX};
	call->range_count = 1;
	for (size_t most = RANGES_MANY; most <= RANGES_MOST && !call->ranges_most; most <<= 3)
		ranges_find_many(call, args, most);
}

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

static bool pin_all(const struct call *call, uintptr_t frame)
{
	bool closed = false;
	for (unsigned i = 0; i < call->range_count; i++) {
		const struct output_range *range = &call->ranges[i];
		closed |= pin_range(range->start, range->start + range->length, frame);
	}
	return closed;
}

static void opened_add(struct call *call, uintptr_t page, enum write_kind kind)
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
static void opened_reserve(struct call *call)
{
	size_t most = 0;
	for (unsigned i = 0; i < call->range_count; i++)
		most += armed_pages(call->ranges[i].start,
				    call->ranges[i].start + call->ranges[i].length);
	call->opened = call->opened_few;
	call->opened_most = OPENED_FEW;
	if (most <= OPENED_FEW)
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

static enum write_kind kind_of(const struct region *region, page_flags_t flags)
{
	if (flags & PAGE_ZERO)
		return KIND_ZERO;
	if (!page_is_copied(flags))
		return region->file ? KIND_FILE : KIND_FILL;
	if (flags & PAGE_SWAPPED)
		return KIND_UNKNOWN; /* the kernel does not say who else has the swapped page */
	return flags & PAGE_EXCLUSIVE ? KIND_REUSE : KIND_FORK;
}

static void set_kinds(uintptr_t start, uintptr_t end, page_flags_t flags, void *context)
{
	struct kinds *kinds = context;
	enum write_kind kind = kind_of(kinds->region, flags);
	for (uintptr_t page = start; page < end; page += PAGE_SIZE)
		kinds->opened[(page - kinds->start) / PAGE_SIZE].kind = (uint8_t)kind;
}

/* Claim the closed pages from start on that lie side by side. Returns the end of the run. */
static uintptr_t claim_run(struct call *call, uintptr_t start, uintptr_t end, enum write_kind kind)
{
	uintptr_t page = start;
	while (page < end && !pages_is_open(page) && pages_claim(page)) {
		opened_add(call, page, kind);
		page += PAGE_SIZE;
	}
	return page;
}

/* Read lock: claim and open the closed pages of [start, end) in one region, run by run. */
static int open_part(struct call *call, const struct region *region, uintptr_t start, uintptr_t end)
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
		error = guard_open_run(region, page, run);
		page = run;
	}
	return error;
}

static int open_range(struct call *call, uintptr_t start, uintptr_t end, uintptr_t *failed)
{
	const struct region *region;
	int error = 0;
	while (!error && start < end && (region = region_find(start, true)) &&
	       region->start < end) {
		uintptr_t at = region->start > start ? region->start : start;
		uintptr_t part_end = region->end < end ? region->end : end;
		*failed = at;
		if (region_armed(region))
			error = open_part(call, region, at, part_end);
		start = part_end;
	}
	return error;
}

static void open_all(struct call *call)
{
	uintptr_t failed = 0;
	int error = 0;
	sigmask_t mask;
	opened_reserve(call);
	lock_read_masked(&mask);
	for (unsigned i = 0; i < call->range_count && !error; i++)
		error = open_range(call, call->ranges[i].start,
				   call->ranges[i].start + call->ranges[i].length, &failed);
	lock_read_end();
	if (error) {
		/* No VMA left: the region is watched by kernel truth from now on. */
		lock_write();
		guard_give_up_range(failed, failed + 1, REGION_NO_VMA);
		lock_write_end();
	}
	sys_sigmask_restore(&mask);
}

/* Bytes that one unit of the call's result stands for. */
static uintptr_t result_unit(long nr)
{
	switch (nr) {
	case SYS_epoll_wait:
	case SYS_epoll_pwait:
	case SYS_epoll_pwait2: return sizeof(struct epoll_event);
	case SYS_io_getevents:
	case SYS_io_pgetevents: return 32;            /* struct io_event */
	case SYS_recvmmsg: return (uintptr_t)1 << 30; /* messages of any length */
	default: return 1;
	}
}

/* Whether the call's result reaches the page. */
static bool within_result(const struct call *call, uintptr_t page)
{
	uintptr_t bytes = call->result > 0 ? (uintptr_t)call->result * result_unit(call->nr) : 0;
	for (unsigned i = 0; i < call->range_count && bytes; i++) {
		const struct output_range *range = &call->ranges[i];
		uintptr_t length = range->length < bytes ? range->length : bytes;
		if (page + PAGE_SIZE > range->start && page < range->start + length)
			return true;
	}
	return false;
}

/*
 * What the kernel says after the call: did the page become a copy? It cannot say whether a page
 * that was ours alone before was written; there the result must name it.
 */
static bool became_copy(const struct call *call, const struct opened_page *opened,
			page_flags_t flags)
{
	if (!page_is_copied(flags))
		return false;
	switch (opened->kind) {
	case KIND_FORK: return flags & PAGE_EXCLUSIVE;
	case KIND_REUSE:
	case KIND_UNKNOWN: return within_result(call, opened->page);
	default: return true;
	}
}

struct settling {
	struct call *call;
	size_t next; /* the opened pages from here on lie above what was seen */
};

static void set_written(uintptr_t start, uintptr_t end, page_flags_t flags, void *context)
{
	struct settling *settling = context;
	struct call *call = settling->call;
	for (; settling->next < call->opened_count; settling->next++) {
		struct opened_page *opened = &call->opened[settling->next];
		if (opened->page >= end)
			return;
		if (opened->page >= start)
			opened->written = became_copy(call, opened, flags);
	}
}

/* Ask the kernel once for each run of pages opened side by side. False if one was not written. */
static bool all_written(struct call *call)
{
	size_t first = 0;
	bool all = true;
	while (first < call->opened_count) {
		size_t last = first;
		uintptr_t start = call->opened[first].page;
		while (last + 1 < call->opened_count &&
		       call->opened[last + 1].page == call->opened[last].page + PAGE_SIZE)
			last++;
		struct settling settling = {call, first};
		if (truth_runs(start, call->opened[last].page + PAGE_SIZE, set_written, &settling))
			for (size_t i = first; i <= last; i++)
				call->opened[i].written = within_result(call, call->opened[i].page);
		for (size_t i = first; i <= last; i++)
			all &= call->opened[i].written;
		first = last + 1;
	}
	return all;
}

static size_t unwritten_run(const struct call *call, const struct region *region, size_t first)
{
	size_t last = first;
	const struct opened_page *opened = call->opened;
	while (last < call->opened_count && !opened[last].written &&
	       opened[last].page == opened[first].page + (last - first) * PAGE_SIZE &&
	       opened[last].page < region->end && pages_is_open(opened[last].page))
		last++;
	return last - first;
}

/*
 * Write lock: close the pages and only then ask again. A write by another thread before the
 * protection is in the kernel's answer; one after it faults. None is lost. Returns how many pages
 * were looked at.
 */
static size_t close_unwritten(struct call *call, size_t first)
{
	struct region *region = region_find(call->opened[first].page, false);
	bool again = false;
	size_t run = region && region_armed(region) ? unwritten_run(call, region, first) : 0;
	if (!run)
		return 1;
	uintptr_t start = call->opened[first].page, end = start + run * PAGE_SIZE;
	struct settling settling = {call, first};
	guard_close_run(region, start, end);
	if (truth_runs(start, end, set_written, &settling))
		return run;
	for (size_t i = first; i < first + run; i++) {
		struct opened_page *opened = &call->opened[i];
		opened->written = opened->written && !pages_is_open(opened->page) &&
				  pages_claim(opened->page);
		again |= opened->written;
	}
	if (again)
		guard_apply(region, start, end);
	return run;
}

static void close_all_unwritten(struct call *call)
{
	sigmask_t mask;
	lock_write_masked(&mask);
	for (size_t i = 0; i < call->opened_count;)
		i += call->opened[i].written ? 1 : close_unwritten(call, i);
	lock_write_end_masked(&mask);
}

static long capture(void *caller)
{
	return stacks_capture((uintptr_t)caller);
}

/*
 * The program may keep vector registers across a raw `syscall` instruction, and libunwind is free
 * to use them: they are saved around it, all but the tile registers, which it never touches.
 */
uint32_t kernel_writes_stack(uintptr_t caller)
{
	struct thread *self = thread_meet();
	if (!self || self->unwinding || !self->work_stack_top)
		return 0;
	self->unwinding = true;
	stacks_warm_thread();
	uint32_t stack = (uint32_t)sys_saving_vectors(self->work_stack_top, capture,
						      (void *)caller);
	self->unwinding = false;
	return stack;
}

static void record_written(struct call *call)
{
	sigmask_t mask;
	sys_sigmask_block(&mask);
	for (size_t i = 0; i < call->opened_count; i++) {
		const struct opened_page *opened = &call->opened[i];
		if (!opened->written)
			continue;
		if (!call->captured)
			call->stack = kernel_writes_stack(call->caller);
		call->captured = true;
		const struct first_write write = {
			.page = opened->page,
			.time = sys_now(),
			.stack = call->stack,
			.thread = (uint32_t)sys_call0(SYS_gettid),
			.epoch = process_epoch,
			.previous = pages_event(opened->page),
			.syscall = (uint16_t)(call->nr + 1),
			.kind = opened->kind,
			.cause = (uint8_t)call->cause,
		};
		recording_add(&write);
	}
	sys_sigmask_restore(&mask);
}

static void settle(struct call *call)
{
	if (!all_written(call))
		close_all_unwritten(call);
	record_written(call);
}

static long issue_plain(const struct call *call, const long args[6])
{
	const struct output_range *range = &call->ranges[0];
	if (call->copy_from)
		return sys_copy((void *)range->start, call->copy_from, range->length)
			       ? -EFAULT
			       : (long)range->length;
	return sys_raw(call->nr, args[0], args[1], args[2], args[3], args[4], args[5]);
}

/*
 * The pins are published before the pages are looked at. A writer that began before may not have
 * seen them: then the pages are looked at again under the lock.
 */
static long issue(struct call *call, const long args[6])
{
	uintptr_t frame = (uintptr_t)__builtin_frame_address(0);
	unsigned pins = guard_pins(frame);
	if (pin_all(call, frame) || lock_has_writer())
		open_all(call);
	call->result = issue_plain(call, args);
	guard_unpin_to(pins);
	if (call->opened_count)
		settle(call);
	call_end(call);
	return call->result;
}

long kernel_writes_call(long nr, const long args[6], uintptr_t caller)
{
	struct call call;
	call_begin(&call, nr, caller, CAUSE_SYSCALL);
	if (region_selector)
		ranges_find(&call, args);
	if (!call.range_count)
		return sys_raw(nr, args[0], args[1], args[2], args[3], args[4], args[5]);
	return issue(&call, args);
}

long kernel_writes_range(long nr, const long args[6], uintptr_t caller, uintptr_t start,
			 uintptr_t length, enum write_cause cause)
{
	struct call call;
	if (!region_armed_count() || start + length < start)
		return sys_raw(nr, args[0], args[1], args[2], args[3], args[4], args[5]);
	call_begin_range(&call, nr, caller, cause, start, length);
	return issue(&call, args);
}

int kernel_writes_copy(long nr, uintptr_t caller, void *to, const void *from, uintptr_t length)
{
	struct call call;
	const long none[6] = {0};
	call_begin_range(&call, nr, caller, CAUSE_SYSCALL, (uintptr_t)to, length);
	call.copy_from = from;
	return issue(&call, none) < 0 ? -EFAULT : 0;
}

struct populated {
	struct call *call;
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

/* The claimed pages, run by run. */
static int open_claimed(const struct call *call, const struct region *region)
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

void kernel_writes_populated(long nr, uint32_t stack, struct region *region, uintptr_t start,
			     uintptr_t end, enum write_cause cause)
{
	struct call call = {
		.nr = nr, .cause = cause, .captured = true, .stack = stack, .range_count = 1};
	struct populated populated = {&call, region};
	call.ranges = call.few;
	call.few[0] = (struct output_range){start, end - start};
	opened_reserve(&call);
	truth_runs(start, end, populated_run, &populated);
	for (size_t i = 0; i < call.opened_count; i++)
		call.opened[i].written = true;
	record_written(&call);
	if (open_claimed(&call, region))
		guard_give_up(region, REGION_NO_VMA);
	call_end(&call);
}
