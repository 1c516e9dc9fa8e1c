#include "fault.h"

#include <signal.h>
#include <stdatomic.h>
#include <sys/mman.h>

#include "base/sys.h"
#include "context.h"
#include "fault_cost.h"
#include "guard.h"
#include "lock.h"
#include "observe/stacks.h"
#include "observe/truth.h"
#include "pages.h"
#include "record/journal.h"
#include "record/originals.h"
#include "record/trace.h"
#include "recording.h"
#include "regions.h"
#include "threads.h"

uint32_t process_epoch;
int process_pid;

/*
 * Why no order of threads, signals or forks loses a write or records it twice.
 *
 * A closed page refuses writes until somebody opens it, by its VMA (SIGSEGV) or by userfaultfd's mark
 * (SIGBUS). Opening for an instruction happens here only, between lock_read and lock_read_end, in
 * this order: claim (one atomic step, so exactly one thread wins), record, open. The write itself
 * happens after the open, hence after the record. A thread that lost the claim waits until the
 * winner is done: if it opened the page, its write might come before the winner's record, which
 * would find the copy made and call it a reuse. Whoever closes pages (mapping calls, forks) holds
 * the write lock over both the page's state and the mprotect, so it sees either all three steps or
 * none. A signal cannot come in between: all are blocked here. A fork holds the write lock as well:
 * no child inherits a page that was claimed and not opened.
 *
 * The stack is captured before the lock is taken: unwinding may fault itself (on pages of libunwind
 * that were armed at a fork), and the nested fault takes the lock without any stack.
 */

static enum write_kind kind_from_kernel(const struct region *region, uintptr_t page)
{
	page_flags_t flags;
	if (truth_page(page, &flags))
		return KIND_UNKNOWN;
	if (flags & PAGE_ZERO)
		return KIND_ZERO;
	if ((flags & PAGE_SWAPPED) && page_is_copied(flags))
		return KIND_UNKNOWN; /* the kernel does not say who else has the swapped page */
	if (page_is_copied(flags))
		return flags & PAGE_EXCLUSIVE ? KIND_REUSE : KIND_FORK;
	return region->file ? KIND_FILE : KIND_FILL;
}

/*
 * Nothing was there when the page was handed over to userfaultfd. So there is the zero page, which
 * nobody has exclusively; or the new page that the kernel has prepared for this write; or, when it
 * was handed over after the fault, still nothing.
 */
static enum write_kind kind_of_empty(uintptr_t page)
{
	page_flags_t flags;
	if (truth_page_entry(page, &flags))
		return KIND_UNKNOWN;
	return (flags & (PAGE_PRESENT | PAGE_EXCLUSIVE)) == PAGE_PRESENT ? KIND_ZERO : KIND_FILL;
}

/* `present` is what the page fault's error code said: often that is enough. */
static enum write_kind kind_before(const struct region *region, uintptr_t page, bool present)
{
	if (pages_was_empty(page))
		return kind_of_empty(page);
	if (region->shared_since_fork || pages_is_handed(page))
		return kind_from_kernel(region, page);
	if (region->file)
		return KIND_FILE;
	return present ? KIND_ZERO : KIND_FILL;
}

static uint32_t stack_of(struct thread *self, uintptr_t page, const ucontext_t *context)
{
	if (!self || self->unwinding || pages_is_open(page) || recording_is_paused())
		return 0;
	self->unwinding = true;
	uint32_t stack = stacks_capture_at(context);
	self->unwinding = false;
	return stack;
}

static void record(const struct region *region, uintptr_t address, uint32_t stack, int tid,
		   const ucontext_t *context)
{
	const uintptr_t page = page_floor(address);
	/*
	 * Between the kernel's word and the write, a relative may write the page it shares with us, and
	 * ours is no copy then. Making a child's trace file takes far longer than all the rest.
	 */
	trace_ready();
	const struct first_write write = {
		.page = page,
		.time = sys_now(),
		.stack = stack,
		.thread = (uint32_t)tid,
		.epoch = process_epoch,
		.previous = pages_event(page),
		.kind = (uint8_t)kind_before(region, page, context_fault_is_present(context)),
		.cause = CAUSE_WRITE,
		.offset = (uint16_t)(address - page + 1),
	};
	recording_add(&write, originals_take(page, (enum write_kind)write.kind));
}

/*
 * SIGBUS for a page that is open: another thread was quicker to claim it; we open it again. When it
 * comes once more though nobody can have closed the page, the kernel cannot read what was swapped
 * out.
 */
static bool is_hopeless(struct thread *self, uintptr_t page)
{
	uint32_t writers = lock_writers();
	if (!self || !pages_is_open(page))
		return false;
	bool again = self->bus_page == page && self->bus_writers == writers;
	self->bus_page = page;
	self->bus_writers = writers;
	return again;
}

/* Nobody is between claim and open now. */
static void open_after_winner(uintptr_t page)
{
	lock_alone();
	const struct region *region = region_find(page, false);
	if (region && (region->protection & PROT_WRITE) &&
	    (!region_armed(region) || pages_is_open(page)))
		guard_open_again(region, page);
	lock_write_end();
}

static bool first_write(struct thread *self, int signal, uintptr_t address,
			const ucontext_t *context)
{
	uintptr_t page = page_floor(address);
	struct region seen;
	if (!region_peek(page, &seen) || !(seen.protection & PROT_WRITE))
		return false;
	if (signal == SIGBUS && (seen.file || is_hopeless(self, page)))
		return false;
	uint32_t stack = stack_of(self, page, context);

	guard_opening(page, page + PAGE_SIZE);
	lock_read();
	struct region *region = region_find(page, false);
	bool ours = region && (region->protection & PROT_WRITE);
	int error = 0;
	bool won = ours && region_armed(region) && pages_claim(page);
	if (won) {
		record(region, address, stack, self ? atomic_load(&self->tid) : 0, context);
		error = guard_open_run(region, page, page + PAGE_SIZE);
	}
	lock_read_end();

	if (ours && !won)
		open_after_winner(page);
	if (error)
		guard_open_more(page, page + PAGE_SIZE);
	guard_opened();
	if (ours)
		guard_exempt_stack(context_stack(context));
	return ours;
}

bool fault_first_write(int signal, uintptr_t address, ucontext_t *context)
{
	struct thread *self = thread_meet();
	const struct fault_timer timer = fault_cost_begin(self);
	bool ours = first_write(self, signal, address, context);
	if (ours)
		fault_cost_end(self, &timer);
	return ours;
}
