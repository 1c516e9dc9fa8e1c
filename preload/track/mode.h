/*
 * Whether first writes are seen (exact), or page states are the kernel's word alone (truth): then
 * nothing is protected, and the program runs at its own speed.
 */
#ifndef COWSPY_TRACK_MODE_H
#define COWSPY_TRACK_MODE_H

#include <stdbool.h>

/* Before the program runs. `switchable`: system calls are seen, so that memory may be protected. */
void mode_start(bool exact, bool switchable);

/*
 * No lock held: switch. 0, or -ENOTSUP when memory cannot be protected in this
 * process. Any thread, and handlers.
 */
int mode_set(bool exact);

bool mode_is_exact(void);

#endif
