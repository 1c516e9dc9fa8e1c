/*
 * Handing fragmented memory over to userfaultfd, so that first writes go on being seen one by one
 * when VMAs run short. Part of guard.c's business: nobody else calls these.
 *
 * In memory that is handed over all VMAs have the program's protection, merge with each other, and
 * never split again; a closed page is protected by a mark in its page table entry instead. Wanted
 * is anonymous private memory. It is taken back before anything that drops such marks (MADV_DONTNEED
 * and its kin), cannot move them (mremap), or does not inherit them (fork).
 */
#ifndef COWSPY_TRACK_HANDOVER_H
#define COWSPY_TRACK_HANDOVER_H

#include "regions.h"

/*
 * Write lock: hand over what is around the page, as little as frees enough VMAs. False when it
 * cannot be done: nothing has changed then.
 */
bool handover_around(struct region *region, uintptr_t page);

/*
 * Write lock: what of [start, end), all in one region, is handed over is protected by its VMAs
 * again, its open pages open. 0, or -errno.
 */
int handover_take_back(const struct region *region, uintptr_t start, uintptr_t end);

/* In a forked child: nothing is handed over there. */
void handover_child(void);

/* For the report: pages handed over so far. */
uint64_t handover_pages(void);

#endif
