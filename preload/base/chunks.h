/*
 * Growing arrays whose elements never move.
 *
 * Any thread and the fault handler may call; nothing takes a lock, memory comes from memory_map and
 * is never given back. Elements begin as zeros. Part p holds CHUNKS_FIRST << p elements, so that a
 * few pointers reach every 32-bit index and untouched elements cost no memory.
 */
#ifndef COWSPY_BASE_CHUNKS_H
#define COWSPY_BASE_CHUNKS_H

#include <stddef.h>
#include <stdint.h>

#define CHUNKS_FIRST 4096u
#define CHUNKS_PARTS 21

struct chunks {
	size_t element; /* size of one element in bytes, set once */
	_Atomic(void *) parts[CHUNKS_PARTS];
};

/* The element at index, or NULL when none was made near it. */
void *chunks_get(struct chunks *chunks, uint32_t index);

/* The element at index, made when it is missing. NULL when memory is out. */
void *chunks_make(struct chunks *chunks, uint32_t index);

#endif
