/*
 * The kernel's word on this process's own pages.
 *
 * Keeps /proc/self/pagemap open at a high descriptor number, opens it again in a forked child and
 * whenever the program has closed it. Any thread and any handler may call; no locks.
 */
#ifndef COWSPY_OBSERVE_TRUTH_H
#define COWSPY_OBSERVE_TRUTH_H

#include "pagemap.h"

/* Page flags of one page, all of them. 0, or -errno when the kernel cannot be asked. */
int truth_page(uintptr_t address, page_flags_t *flags);

/* All but PAGE_ZERO and PAGE_HUGE, for half the price. */
int truth_page_entry(uintptr_t address, page_flags_t *flags);

/* As pagemap_runs, with PAGE_EXCLUSIVE. */
int truth_runs(uintptr_t start, uintptr_t end, pagemap_run_fn fn, void *context);

/* The descriptor in use, or -1: the program must neither close nor replace it. */
int truth_descriptor(void);

/* Forget the descriptor: after a fork it still shows the parent. */
void truth_child(void);

#endif
