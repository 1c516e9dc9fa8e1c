/*
 * System calls through which the kernel writes into the program's memory.
 *
 * A write-protected page does not fault for the kernel: the call fails or comes up short. So the
 * ranges that a call may write are opened before it, pinned while it runs, and afterwards the
 * kernel's page states tell what was really written; the rest is closed again.
 */
#ifndef COWSPY_TRACK_KERNEL_WRITES_H
#define COWSPY_TRACK_KERNEL_WRITES_H

#include <stdint.h>

#include "record/journal.h"
#include "regions.h"

/*
 * Issue the call with its output ranges open. `caller` is the return address into the program, for
 * the stack of the pages written. Returns the kernel's result. Any thread, handlers of the program
 * included; signals are blocked only around our own work.
 */
long kernel_writes_call(long nr, const long args[6], uintptr_t caller);

/*
 * The same for a call that makes a new process: `fork` issues it. In the child, 0, nothing more is
 * done than to take back the pins.
 */
typedef long (*kernel_fork_fn)(long nr, const long args[6]);
long kernel_writes_fork(long nr, const long args[6], uintptr_t caller, kernel_fork_fn fork);

/*
 * The same for a call whose memory the kernel may still write after it has returned (io_uring): the
 * pages are left open for good. kernel_writes_keep does only that, and leaves the call to others.
 */
long kernel_writes_lasting(long nr, const long args[6], uintptr_t caller);
void kernel_writes_keep(long nr, const long args[6]);

/*
 * The same for a call that makes the kernel write-fault [start, start + length): mlock,
 * MADV_POPULATE_WRITE.
 */
long kernel_writes_range(long nr, const long args[6], uintptr_t caller, uintptr_t start,
			 uintptr_t length, enum write_cause cause);

/* The stack behind a call, for kernel_writes_populated. No lock held. */
uint32_t kernel_writes_stack(uintptr_t caller);

/*
 * Store what the call wrote into a buffer of ours (staging.h) where the program wants it: the pages
 * are opened and recorded as written by the call. 0, or -EFAULT.
 */
int kernel_writes_copy(long nr, uintptr_t caller, void *to, const void *from, uintptr_t length);

/*
 * Write lock: the call has filled pages of [start, end), which lies in the region and held nothing
 * that is not open (MAP_POPULATE, MAP_LOCKED). Records those that the kernel copied, and opens all.
 */
void kernel_writes_populated(long nr, uint32_t stack, struct region *region, uintptr_t start,
			     uintptr_t end, enum write_cause cause);

#endif
