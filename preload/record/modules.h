/*
 * Which files' code is mapped where, for naming addresses later.
 *
 * modules_scan reads the list of mappings and records what has changed since the last time; one
 * thread at a time, another that comes meanwhile leaves it to that one. With signals blocked; the
 * fault handler may call. modules_cover takes no lock.
 */
#ifndef COWSPY_RECORD_MODULES_H
#define COWSPY_RECORD_MODULES_H

#include <stdbool.h>
#include <stdint.h>

/* `names`: also what backs each private mapping that may be written. */
void modules_scan(bool names);

bool modules_cover(uintptr_t address);

/* All of them are to be recorded again: a new trace begins. */
void modules_begin(void);

/*
 * The build id of the ELF file whose first page is mapped at base. Returns its length, 0 when there
 * is none; at most TRACE_BUILD_ID_MOST bytes.
 */
uint32_t modules_build_id(uintptr_t base, uint8_t *build_id);

#endif
