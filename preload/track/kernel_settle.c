/* After a system call: which of the pages opened for it did the kernel write? */
#include <sys/epoll.h>

#include "base/sys.h"
#include "fault.h"
#include "guard.h"
#include "kernel_call.h"
#include "kernel_writes.h"
#include "lock.h"
#include "observe/truth.h"
#include "pages.h"
#include "record/originals.h"
#include "recording.h"

/* Bytes that one unit of the call's result stands for. */
static uintptr_t result_unit(long nr)
{
	switch (nr) {
	case SYS_epoll_wait:
	case SYS_epoll_pwait:
	case SYS_epoll_pwait2: return sizeof(struct epoll_event);
	case SYS_io_getevents:
	case SYS_io_pgetevents: return 32; /* struct io_event */
	case SYS_recvmmsg:                 /* messages, requests: of any length */
	case SYS_io_submit:
	case SYS_io_uring_enter: return (uintptr_t)1 << 30;
	default: return 1;
	}
}

/* Whether the call's result reaches the page. */
static bool within_result(const struct kernel_call *call, uintptr_t page)
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
static bool became_copy(const struct kernel_call *call, const struct opened_page *opened,
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
	struct kernel_call *call;
	size_t next; /* the opened pages from here on lie above what was seen */
};

static void set_written(uintptr_t start, uintptr_t end, page_flags_t flags, void *context)
{
	struct settling *settling = context;
	struct kernel_call *call = settling->call;
	for (; settling->next < call->opened_count; settling->next++) {
		struct opened_page *opened = &call->opened[settling->next];
		if (opened->page >= end)
			return;
		if (opened->page >= start)
			opened->written = became_copy(call, opened, flags);
	}
}

/* Ask the kernel once for each run of pages opened side by side. False if one was not written. */
static bool all_written(struct kernel_call *call)
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

static size_t unwritten_run(const struct kernel_call *call, const struct region *region,
			    size_t first)
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
static size_t close_unwritten(struct kernel_call *call, size_t first)
{
	struct region *region = region_find(call->opened[first].page, false);
	bool again = false;
	size_t run = region && region_armed(region) ? unwritten_run(call, region, first) : 0;
	if (!run)
		return 1;
	uintptr_t start = call->opened[first].page, end = start + run * PAGE_SIZE;
	struct settling settling = {call, first};
	guard_close(region, start, end, false);
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

static void close_all_unwritten(struct kernel_call *call)
{
	sigmask_t mask;
	lock_write_masked(&mask);
	for (size_t i = 0; i < call->opened_count;)
		i += call->opened[i].written ? 1 : close_unwritten(call, i);
	lock_write_end_masked(&mask);
}

/* Where the call's output begins in a page, as in struct first_write. */
static uint16_t offset_written(const struct kernel_call *call, uintptr_t page)
{
	for (unsigned i = 0; i < call->range_count; i++) {
		const struct output_range *range = &call->ranges[i];
		if (range->start < page + PAGE_SIZE && range->length &&
		    range->start + range->length > page)
			return (uint16_t)((range->start > page ? range->start - page : 0) + 1);
	}
	return 0;
}

void kernel_record(struct kernel_call *call)
{
	sigmask_t mask;
	sys_sigmask_block(&mask);
	for (size_t i = 0; i < call->opened_count; i++) {
		const struct opened_page *opened = &call->opened[i];
		if (!opened->written) {
			originals_give_back(opened->original);
			continue;
		}
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
			.offset = offset_written(call, opened->page),
		};
		recording_add(&write, opened->original);
	}
	sys_sigmask_restore(&mask);
}

void kernel_settle(struct kernel_call *call)
{
	if (!all_written(call) && !call->lasting)
		close_all_unwritten(call);
	kernel_record(call);
}
