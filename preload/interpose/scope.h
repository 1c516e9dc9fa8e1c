/*
 * Which mappings are tracked: by COWSPY_SCOPE, by who maps, and by how.
 *
 * Any thread and handler may ask.
 */
#ifndef COWSPY_INTERPOSE_SCOPE_H
#define COWSPY_INTERPOSE_SCOPE_H

#include <stdbool.h>
#include <stdint.h>

/* Learn where libc, the loader, libunwind and we are. Before the program runs. */
void scope_start(void);

/* Whether the program is linked with a library that sets up io_uring. */
bool scope_makes_rings(void);

/*
 * Write lock: with scope `auto`, from the first fork on everything private is tracked. Registers
 * what is mapped and not tracked yet.
 */
void scope_first_fork(void);

/* Write lock: the same at start, with scope `all`. */
void scope_adopt_all(void);

/* Whether everything private is tracked now. */
bool scope_is_all(void);

/* Whether a private mapping made by that caller is tracked. */
bool scope_tracks(uintptr_t caller);

/* Whether address lies in the C library or the loader. */
bool scope_in_libc(uintptr_t address);

/*
 * Whether address lies in a library whose data is never protected (libc, the loader, the unwinder,
 * we); *end receives where that ends. And where the next such range above address begins.
 */
bool scope_never(uintptr_t address, uintptr_t *end);
uintptr_t scope_next_never(uintptr_t address);

#endif
