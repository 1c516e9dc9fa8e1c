/*
 * Names that owners give to memory. Wants the write lock.
 */
#ifndef COWSPY_TRACK_REGION_NAMES_H
#define COWSPY_TRACK_REGION_NAMES_H

#include <stddef.h>
#include <stdint.h>

#define REGION_NAME_MOST 79

/*
 * Name the regions of [start, end), splitting what sticks out; length 0 takes names away. The name
 * is cut at REGION_NAME_MOST bytes and kept for good; each once. 0, -ENOENT when no region is there,
 * -ENOMEM when memory or the room for names is out.
 */
int region_names_set(uintptr_t start, uintptr_t end, const char *name, size_t length);

#endif
