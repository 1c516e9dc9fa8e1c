/*
 * The one lock of the registry: many readers or one writer.
 *
 * Readers are the fault handler between claiming a page and opening it, and whoever opens pages for
 * the kernel. Writers are calls that change mappings, and forks, which hold it across the system
 * call so that the registry and the kernel never disagree for anybody else.
 *
 * Whoever holds it has every signal blocked (a handler of the program could fault, and want it
 * again), writes no memory that may be armed, and never takes it twice. So a holder always runs on
 * to its release, and waiting for it, even in the fault handler, ends. After fork the child calls
 * lock_reset, since the thread that forked is the only one left.
 */
#ifndef COWSPY_TRACK_LOCK_H
#define COWSPY_TRACK_LOCK_H

#include <stdbool.h>

#include "base/sys.h"

/* With signals already blocked: the fault handler. */
void lock_read(void);
void lock_read_end(void);
void lock_write(void);
void lock_write_end(void);

/* As lock_write, with the same end, for those who close no page: lock_writers does not count it. */
void lock_alone(void);

/*
 * Blocks signals as well, and makes sure that the stack beneath is not armed (guard_exempt_stack).
 * *old goes to the matching end.
 */
void lock_read_masked(sigmask_t *old);
void lock_write_masked(sigmask_t *old);
void lock_write_end_masked(const sigmask_t *old);

/* How many writers there were, so far: equal numbers mean that there was none in between. */
uint32_t lock_writers(void);

/* A writer holds the lock or waits for it. */
bool lock_has_writer(void);

/* In a forked child whose parent held the write lock: the child holds it now, alone. */
void lock_child(void);

#endif
