/*
 * Protecting and opening pages: the only place that calls mprotect on the program's memory.
 *
 * Invariant, whenever nobody holds the write lock: a page of an armed region has the program's
 * protection when it is open (track/pages.h), and that without PROT_WRITE when it is closed.
 * Functions say which lock they want; none of them may be called with an armed stack beneath.
 */
#ifndef COWSPY_TRACK_GUARD_H
#define COWSPY_TRACK_GUARD_H

#include "regions.h"

/* The protection that closed pages of the region have. */
int guard_closed_protection(const struct region *region);

/*
 * VMAs that our protections may add, of those that the kernel allows a process (sysctl
 * vm.max_map_count); the rest is the program's. Before the program runs.
 */
void guard_start(void);

/* Write lock: [start, end) is about to be closed or forgotten as a whole. True if a page is open. */
bool guard_closing(uintptr_t start, uintptr_t end);

/* Read lock: give the page, claimed by the caller, the program's protection. 0, or -errno. */
int guard_open(const struct region *region, uintptr_t page);
int guard_open_run(const struct region *region, uintptr_t start, uintptr_t end);

/* Write lock: close the open pages of [start, end), all in one region; pinned ones stay open. */
void guard_close_run(struct region *region, uintptr_t start, uintptr_t end);

/*
 * Write lock: close [start, end), all in one region, but for pages that are pinned or kept open.
 * `dropped`: they hold nothing any more, what was known of them is forgotten.
 */
void guard_close_all(struct region *region, uintptr_t start, uintptr_t end, bool dropped);

/*
 * Write lock: bring the kernel's protection of [start, end) of the region in line with the pages'
 * state: closed ones protected, open ones as the program set them. Pinned pages are opened first.
 * When the kernel refuses, the whole region is given up (REGION_NO_VMA).
 */
void guard_apply(struct region *region, uintptr_t start, uintptr_t end);

/* Write lock: watch the region by kernel truth only from now on, and say why in the report. */
void guard_give_up(struct region *region, enum region_limit why);

/* Write lock: give up every region that intersects [start, end). */
void guard_give_up_range(uintptr_t start, uintptr_t end, enum region_limit why);

/*
 * Write lock: never protect [start, end) again, whole pages of it; the regions that it lies in are
 * cut there.
 */
void guard_exempt(uintptr_t start, uintptr_t end, enum region_limit why);

/*
 * No lock held, signals blocked: if `pointer`, the stack pointer of the calling thread, lies in an
 * armed region (a coroutine's stack), never protect its neighbourhood again. Whoever takes the lock
 * outside of the handlers calls this first: a fault of its own under the lock would hang.
 */
void guard_exempt_stack(uintptr_t pointer);

/* In a forked child: counts of its own. */
void guard_child(void);

/* Write lock: open what is closed in the region around [start, end), without events. */
void guard_open_range(struct region *region, uintptr_t start, uintptr_t end);

/*
 * No lock held, signals blocked: there is no VMA left to open `page` alone (guard_open returned
 * -ENOMEM). Opens the 2 MiB around it, and if that fails gives the region up.
 */
void guard_open_more(uintptr_t page);

/*
 * Publish, and take back, a range that the kernel may write while a system call is in flight.
 * `frame` is an address in the stack frame of the call. guard_pins drops what calls have left that
 * will never return.
 */
void guard_pin(uintptr_t start, uintptr_t end, uintptr_t frame);
unsigned guard_pins(uintptr_t frame);
void guard_unpin_to(unsigned count);

/* For the report: mprotect calls made; and pages opened unseen, since VMAs ran short. */
uint64_t guard_calls(void);
uint64_t guard_opened_unseen(void);

#endif
