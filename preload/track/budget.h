/*
 * How many VMAs our protections add, of those that the kernel allows a process (sysctl
 * vm.max_map_count).
 *
 * A run of pages whose VMA is writable (open, or handed over to userfaultfd) within closed ones
 * costs two VMAs more. Threads that open neighbours at one moment, and mappings that the program
 * splits itself, make the count a little wrong; whoever opens pages takes the kernel's ENOMEM into
 * account as well.
 */
#ifndef COWSPY_TRACK_BUDGET_H
#define COWSPY_TRACK_BUDGET_H

#include <stdbool.h>
#include <stdint.h>

#include "regions.h"

/* Learn the limit; COWSPY_VMA_SHARE per cent of it are ours. Before the program runs. */
void budget_start(void);

/*
 * Count the pages of [start, end), claimed and about to be opened. True while there is room, or,
 * for anonymous memory, while there is so much that nothing needs to be handed over.
 */
bool budget_opening(const struct region *region, uintptr_t start, uintptr_t end);
bool budget_left(void);

/* Write lock: the runs in and right beside [start, end), before a change of pages there. */
long budget_runs(uintptr_t start, uintptr_t end);

/* And after it. */
void budget_changed(long before, uintptr_t start, uintptr_t end);

/* For the report: VMAs added now, and the most there were in this process. */
uint64_t budget_vmas(uint64_t *most);

/* In a forked child. */
void budget_child(void);

/* Write lock: runs of single open pages inside [start, end). */
long budget_pieces(uintptr_t start, uintptr_t end);

#endif
