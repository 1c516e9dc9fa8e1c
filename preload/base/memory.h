/*
 * Our own memory: zeroed, straight from the kernel, never from malloc and never tracked.
 *
 * Any thread and the fault handler may call; lock-free. What memory_alloc gives out is never taken
 * back: it holds tables that grow with pages written.
 */
#ifndef COWSPY_BASE_MEMORY_H
#define COWSPY_BASE_MEMORY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* size zeroed bytes, aligned to 16, or NULL when the kernel has none left. */
void *memory_alloc(size_t size);

/* Whole zeroed pages of their own, or NULL. Given back with memory_unmap. */
void *memory_map(size_t size);
void memory_unmap(void *address, size_t size);

/* Whether address lies in memory that memory_map gave out, or that memory_note named. If so, *end
 * receives its end. */
bool memory_is_ours(uintptr_t address, uintptr_t *end);

/* The first range of our own above address, or false: *start receives where it begins. */
bool memory_next_ours(uintptr_t address, uintptr_t *start);

/* Memory that a library works with for us, and its end. */
void memory_note(uintptr_t start, uintptr_t end);
void memory_forget(uintptr_t start, uintptr_t end);

/* Walks the ranges of our own, from *next = 0 on, in no order. False: there is no other. */
bool memory_ours(unsigned *next, uintptr_t *start, uintptr_t *end);

/* Bytes of address space in them. */
size_t memory_used(void);

#endif
