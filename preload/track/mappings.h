/*
 * What calls that change mappings do to the registry. All want the write lock.
 */
#ifndef COWSPY_TRACK_MAPPINGS_H
#define COWSPY_TRACK_MAPPINGS_H

#include "regions.h"

/* A new mapping that the program may write one day. Arms it when it is writable. */
struct region *mappings_add(const struct region *model);

/* The heap grew from start to end: part of the region below if that ends there, else a new one. */
void mappings_extend(uintptr_t start, uintptr_t end);

/* [start, end) is unmapped, or mapped over by something that is not tracked. */
void mappings_remove(uintptr_t start, uintptr_t end);

/* The kernel has just given [start, end) this protection. */
void mappings_protected(uintptr_t start, uintptr_t end, int protection);

/* Every page of [start, end) is in an armed region. */
bool mappings_all_armed(uintptr_t start, uintptr_t end);

/* The kernel refused to give all of [start, end) this protection, but may have given it to some. */
void mappings_protect_failed(uintptr_t start, uintptr_t end, int protection);

/* The pages of [start, end) went back to the kernel (MADV_DONTNEED), or may go (MADV_FREE). */
void mappings_dropped(uintptr_t start, uintptr_t end, bool at_once);

/*
 * Of [start, end) the kernel may have taken back some pages, which ones it did not say: ask it, and
 * forget those.
 */
void mappings_recheck(uintptr_t start, uintptr_t end);

/* madvise has set and cleared what lasts: it holds for just [start, end). */
void mappings_advised(uintptr_t start, uintptr_t end, unsigned set, unsigned clear);

/* madvise has done something in [start, end): for the report. */
void mappings_advised_once(uintptr_t start, uintptr_t end, unsigned set);

/*
 * mremap of tracked memory: the call itself, with everything that the kernel must find in one piece
 * put into one, and the registry brought in line. Returns the kernel's result.
 */
long mappings_move(const long args[6]);

/* Mappings are no longer protected at all, and none will be. */
void mappings_give_up_all(enum region_limit why);

/* After REGION_MODE: new ones are. */
void mappings_give_up_none(void);

#endif
