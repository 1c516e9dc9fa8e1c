/*
 * Protecting and opening pages: the only place that calls mprotect on the program's memory.
 *
 * Invariant, whenever nobody holds the write lock: a page of an armed region has the program's
 * protection when it is open (track/pages.h), and that without PROT_WRITE when it is closed; unless
 * the page is handed over (handover.h): then it has the program's protection and, when it is closed,
 * userfaultfd's mark.
 * Functions say which lock they want; none of them may be called with an armed stack beneath.
 */
#ifndef COWSPY_TRACK_GUARD_H
#define COWSPY_TRACK_GUARD_H

#include "regions.h"

/* The protection that closed pages of the region have. */
int guard_closed_protection(const struct region *region);

/* mprotect of whole pages, counted. For this module's files: guard.c and handover.c. */
int guard_protect(uintptr_t start, uintptr_t end, int protection);

/* Before the program runs. */
void guard_start(void);

/* Write lock: [start, end) is unmapped: forget its pages. */
void guard_forget(uintptr_t start, uintptr_t end);

/*
 * Write lock: [start, end) may be about to lose userfaultfd's marks, or shall be one mapping to the
 * kernel again: protect it by mprotect only. `closing`: its open pages too, until guard_apply.
 */
void guard_take_back(uintptr_t start, uintptr_t end, bool closing);

/* Write lock: nothing is handed over to userfaultfd from now on, and what was is taken back. */
void guard_end_handover(void);

/*
 * Read lock: give the pages, claimed by the caller, the program's protection. 0, or -errno: then
 * guard_open_more must follow when the lock is released.
 */
int guard_open_run(const struct region *region, uintptr_t start, uintptr_t end);

/* Read lock: the same for a page that another thread has claimed and is opening. */
int guard_open_again(const struct region *region, uintptr_t page);

/*
 * Write lock: close [start, end), all in one region, but for pages that are pinned or kept open.
 * `dropped`: they hold nothing any more, what was known of them is forgotten.
 */
void guard_close(struct region *region, uintptr_t start, uintptr_t end, bool dropped);

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

/*
 * Open claimed pages of [start, end), which begin in one region, though guard_open_run has failed
 * for some: VMAs run short. Hands what is around them over to userfaultfd; or opens more than was
 * asked for; or gives the region up. guard_open_more: no lock held, signals blocked.
 */
void guard_open_more(uintptr_t start, uintptr_t end);
void guard_open_more_locked(uintptr_t start, uintptr_t end);

/*
 * Around claiming and opening pages under the read lock, and guard_open_more after it: a system call
 * of another thread finds the pages claimed, and must not go on before they are open.
 * guard_wait_opened: no lock held, and not between the others.
 */
void guard_opening(uintptr_t start, uintptr_t end);
void guard_opened(void);
void guard_wait_opened(uintptr_t start, uintptr_t end);

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
