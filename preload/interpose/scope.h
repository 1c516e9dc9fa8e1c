/*
 * Which mappings are tracked: by COWSPY_SCOPE, by who maps, and by how.
 *
 * Constant after scope_start; any thread and handler may ask.
 */
#ifndef COWSPY_INTERPOSE_SCOPE_H
#define COWSPY_INTERPOSE_SCOPE_H

#include <stdbool.h>
#include <stdint.h>

/* Learn where libc, the loader, libunwind and we are. Before the program runs. */
void scope_start(void);

/* Whether a private mapping made with these MAP_ flags, from that caller, is tracked. */
bool scope_tracks(int flags, uintptr_t caller);

/* Whether address lies in the C library or the loader. */
bool scope_in_libc(uintptr_t address);

#endif
