/*
 * Memory locks, as the kernel has them.
 *
 * Any thread and handler may call; no locks of ours.
 */
#ifndef COWSPY_OBSERVE_LOCKS_H
#define COWSPY_OBSERVE_LOCKS_H

#include <stdbool.h>
#include <stdint.h>

/* Whether a mapping in [start, end), page aligned, is locked. */
bool locks_any(uintptr_t start, uintptr_t end);

/* Of a mapping, as smaps lists it: [start, end) and its line "Locked", in bytes. */
typedef void (*locks_fn)(uintptr_t start, uintptr_t end, uint64_t locked, void *context);

/*
 * Call fn for each mapping of which something is locked, in order. The kernel walks all page tables
 * for it, so ask locks_any first. 0, or -errno. About 4.3 KiB of stack.
 */
int locks_walk(locks_fn fn, void *context);

#endif
