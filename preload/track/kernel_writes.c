#include "kernel_writes.h"

#include <errno.h>

#include "base/memory.h"
#include "base/sys.h"
#include "guard.h"
#include "kernel_call.h"
#include "lock.h"
#include "mappings.h"
#include "observe/stacks.h"
#include "pages.h"
#include "record/trace.h"
#include "threads.h"

#define RANGES_MANY 2048
#define RANGES_MOST (RANGES_MANY << 9) /* recvmmsg: 1024 messages of 1024 parts each */

/* Leaves the arrays at the end as they are: clearing them would cost more than all else. */
static void call_begin(struct kernel_call *call, long nr, uintptr_t caller, enum write_cause cause)
{
	call->nr = nr;
	call->result = 0;
	call->caller = caller;
	call->cause = cause;
	call->copy_from = NULL;
	call->fork = NULL;
	call->lasting = false;
	call->captured = false;
	call->stack = 0;
	call->ranges = call->few;
	call->range_count = 0;
	call->ranges_most = 0;
	call->opened = NULL;
	call->opened_count = 0;
	call->opened_most = 0;
}

static void call_begin_range(struct kernel_call *call, long nr, uintptr_t caller,
			     enum write_cause cause, uintptr_t start, uintptr_t length)
{
	call_begin(call, nr, caller, cause);
	call->few[0] = (struct output_range){start, length};
	call->range_count = 1;
}

static void call_end(struct kernel_call *call)
{
	kernel_opened_release(call);
	if (call->ranges_most)
		memory_unmap(call->ranges, call->ranges_most * sizeof(*call->ranges));
}

static int read_program(void *to, uintptr_t from, uintptr_t length)
{
	return sys_copy(to, (const void *)from, length);
}

static void ranges_find_many(struct kernel_call *call, const long args[6], size_t most)
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
static void ranges_find(struct kernel_call *call, const long args[6])
{
	call->range_count = syscall_outputs(call->nr, args, call->few, KERNEL_RANGES_FEW,
					    read_program);
	if (call->range_count <= KERNEL_RANGES_FEW)
		return;
	call->few[0] = (struct output_range){PAGE_SIZE, INTPTR_MAX};
	call->range_count = 1;
	for (size_t most = RANGES_MANY; most <= RANGES_MOST && !call->ranges_most; most <<= 3)
		ranges_find_many(call, args, most);
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

static long issue_plain(const struct kernel_call *call, const long args[6])
{
	const struct output_range *range = &call->ranges[0];
	if (call->copy_from)
		return sys_copy((void *)range->start, call->copy_from, range->length)
			       ? -EFAULT
			       : (long)range->length;
	if (call->fork)
		return call->fork(call->nr, args);
	return sys_raw(call->nr, args[0], args[1], args[2], args[3], args[4], args[5]);
}

/* More than any mapping has: what the call names could not be said. */
#define KEPT_MOST ((uintptr_t)1 << 40)

static bool is_kept(const struct output_range *range)
{
	uintptr_t end = range->start + range->length;
	for (uintptr_t page = page_floor(range->start); page < end; page += PAGE_SIZE)
		if (!pages_is_kept(page))
			return false;
	return true;
}

/* Read lock: for good. The trace says so where the page would have been closed again. */
static void keep_range(const struct output_range *range)
{
	uintptr_t end = range->start + range->length;
	for (uintptr_t page = page_floor(range->start); page < end; page += PAGE_SIZE) {
		const struct region *region = region_find(page, false);
		if (pages_keep(page) && region && region_armed(region))
			trace_limit(page, page + PAGE_SIZE, REGION_ASYNCHRONOUS);
	}
}

static void give_up_all(void)
{
	sigmask_t mask;
	lock_write_masked(&mask);
	mappings_give_up_all(REGION_ASYNCHRONOUS);
	lock_write_end_masked(&mask);
}

/* All is open, and pinned. */
static void keep_all(const struct kernel_call *call)
{
	sigmask_t mask;
	for (unsigned i = 0; i < call->range_count; i++) {
		const struct output_range *range = &call->ranges[i];
		if (range->length > KEPT_MOST) {
			give_up_all();
			return;
		}
		if (is_kept(range))
			continue;
		lock_read_masked(&mask);
		keep_range(range);
		lock_read_end();
		sys_sigmask_restore(&mask);
	}
}

/*
 * The pins are published before the pages are looked at. A writer that began before may not have
 * seen them: then the pages are looked at again under the lock.
 */
static unsigned begin(struct kernel_call *call, uintptr_t frame)
{
	unsigned pins = guard_pins(frame);
	if (kernel_pin(call, frame) || lock_has_writer())
		kernel_open(call);
	for (unsigned i = 0; i < call->range_count; i++)
		guard_wait_opened(call->ranges[i].start,
				  call->ranges[i].start + call->ranges[i].length);
	if (call->lasting)
		keep_all(call);
	return pins;
}

static long issue(struct kernel_call *call, const long args[6])
{
	unsigned pins = begin(call, (uintptr_t)__builtin_frame_address(0));
	call->result = issue_plain(call, args);
	guard_unpin_to(pins);
	if (call->opened_count && !(call->fork && !call->result))
		kernel_settle(call);
	call_end(call);
	return call->result;
}

static long call_found(struct kernel_call *call, const long args[6])
{
	if (region_selector)
		ranges_find(call, args);
	return call->range_count ? issue(call, args) : issue_plain(call, args);
}

long kernel_writes_call(long nr, const long args[6], uintptr_t caller)
{
	struct kernel_call call;
	call_begin(&call, nr, caller, CAUSE_SYSCALL);
	return call_found(&call, args);
}

long kernel_writes_fork(long nr, const long args[6], uintptr_t caller, kernel_fork_fn fork)
{
	struct kernel_call call;
	call_begin(&call, nr, caller, CAUSE_SYSCALL);
	call.fork = fork;
	return call_found(&call, args);
}

long kernel_writes_lasting(long nr, const long args[6], uintptr_t caller)
{
	struct kernel_call call;
	call_begin(&call, nr, caller, CAUSE_SYSCALL);
	call.lasting = true;
	return call_found(&call, args);
}

void kernel_writes_keep(long nr, const long args[6])
{
	struct kernel_call call;
	call_begin(&call, nr, 0, CAUSE_SYSCALL);
	call.lasting = true;
	ranges_find(&call, args);
	guard_unpin_to(begin(&call, (uintptr_t)__builtin_frame_address(0)));
	call_end(&call);
}

long kernel_writes_range(long nr, const long args[6], uintptr_t caller, uintptr_t start,
			 uintptr_t length, enum write_cause cause)
{
	struct kernel_call call;
	if (!region_armed_count() || start + length < start)
		return sys_raw(nr, args[0], args[1], args[2], args[3], args[4], args[5]);
	call_begin_range(&call, nr, caller, cause, start, length);
	return issue(&call, args);
}

int kernel_writes_copy(long nr, uintptr_t caller, void *to, const void *from, uintptr_t length)
{
	struct kernel_call call;
	const long none[6] = {0};
	call_begin_range(&call, nr, caller, CAUSE_SYSCALL, (uintptr_t)to, length);
	call.copy_from = from;
	return issue(&call, none) < 0 ? -EFAULT : 0;
}

void kernel_writes_populated(long nr, uint32_t stack, struct region *region, uintptr_t start,
			     uintptr_t end, enum write_cause cause)
{
	struct kernel_call call;
	call_begin_range(&call, nr, 0, cause, start, end - start);
	call.captured = true;
	call.stack = stack;
	kernel_claim_copied(&call, region, start, end);
	kernel_record(&call);
	if (kernel_open_claimed(&call, region))
		guard_open_more_locked(start, end);
	call_end(&call);
}
