/*
 * What we know of single pages: whether it is open, and the first write that opened it.
 *
 * "Open" means that we do not write-protect the page: its first write has happened, or the kernel
 * was let in. Every other page of an armed region is protected. Memory grows with the pages
 * written: a block of 2 MiB costs 200 bytes once one of its pages was opened, 128 more while it is
 * handed over, and 256 bytes for each 64 pages.
 *
 * All functions may be called from the fault handler, take no lock, and work on whole pages.
 * Which of them may run at the same time for the same page is the registry lock's business
 * (track/lock.h): claims under the read lock, everything else under the write lock.
 */
#ifndef COWSPY_TRACK_PAGES_H
#define COWSPY_TRACK_PAGES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Mark the page open. True for the one caller that did it; false when it was open already. */
bool pages_claim(uintptr_t address);

/* Undo a claim: the page is protected again (or about to be). */
void pages_close(uintptr_t address);

bool pages_is_open(uintptr_t address);

/* The journal index of the page's latest first write, or 0. Survives pages_arm. */
uint32_t pages_event(uintptr_t address);
void pages_set_event(uintptr_t address, uint32_t event);

/*
 * Close all pages in [start, end), keeping their events; or forgetting them. Pages that are kept
 * open stay so.
 */
void pages_arm(uintptr_t start, uintptr_t end);
void pages_drop(uintptr_t start, uintptr_t end);

/* Forget all about [start, end): closed, no events, not kept open. */
void pages_forget(uintptr_t start, uintptr_t end);

/*
 * The page is open, and stays open for as long as it is mapped, whether it is watched yet or not:
 * the kernel may write it at any time. True for the one caller that did it.
 */
bool pages_keep(uintptr_t address);
bool pages_is_kept(uintptr_t address);

/* How many pages of [start, end) are kept open. */
size_t pages_kept(uintptr_t start, uintptr_t end);

/* Carry what is known of [from, from + length) to `to` and forget it at `from`. */
void pages_move(uintptr_t from, uintptr_t to, uintptr_t length);

/*
 * Pages handed over to userfaultfd (handover.h): while such a page is closed, a mark of its own
 * protects it, and its VMA has the program's protection. Before they are, pages_note_empty says of
 * the closed ones that nothing is there. pages_hand_over: false when memory is out; then part of the
 * range is handed over.
 */
void pages_note_empty(uintptr_t start, uintptr_t end);
bool pages_hand_over(uintptr_t start, uintptr_t end);
void pages_take_back(uintptr_t start, uintptr_t end);
bool pages_is_handed(uintptr_t address);
bool pages_was_empty(uintptr_t address);

enum pages_wanted {
	PAGES_OPEN,
	PAGES_HANDED,
	PAGES_WRITABLE, /* open or handed over: their VMA is writable */
	PAGES_APART,    /* open and not handed over */
};

/* Finds the next run of such pages in [start, end). False when there is none. */
bool pages_next(enum pages_wanted which, uintptr_t start, uintptr_t end, uintptr_t *run_start,
		uintptr_t *run_end);

static inline bool pages_next_open(uintptr_t start, uintptr_t end, uintptr_t *run_start,
				   uintptr_t *run_end)
{
	return pages_next(PAGES_OPEN, start, end, run_start, run_end);
}

#endif
