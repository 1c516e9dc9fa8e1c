/*
 * Both sides of a fork.
 *
 * After a fork all anonymous pages are shared, so all regions are armed again: before the clone,
 * once, so that both sides inherit the protection. The write lock is held from then until each
 * side has gone on, which closes the window in which other threads could open pages unseen.
 */
#ifndef COWSPY_TRACK_FORKS_H
#define COWSPY_TRACK_FORKS_H

#include <stdbool.h>

#include "base/sys.h"

/* Before the clone, with the write lock, which stays held across it. */
void forks_prepare(void);

/* After it, on each side; releases the lock. `child`: what the call returned in the parent. */
void forks_parent(const sigmask_t *mask, long child);
void forks_child(const sigmask_t *mask);

#endif
