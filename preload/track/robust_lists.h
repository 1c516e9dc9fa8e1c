/*
 * Robust futexes (set_robust_list): when a thread ends, the kernel marks those that it still holds,
 * so that others learn that their owner has died. That write cannot fault: the pages of futexes
 * that are held must stay open. Taking one writes it, which opens its page; only a fork closes it.
 */
#ifndef COWSPY_TRACK_ROBUST_LISTS_H
#define COWSPY_TRACK_ROBUST_LISTS_H

#include <stdbool.h>

/*
 * Write lock, pages have just been closed: open again those of all robust futexes that any thread
 * holds or is about to take. True if there was one.
 */
bool robust_lists_open(void);

#endif
