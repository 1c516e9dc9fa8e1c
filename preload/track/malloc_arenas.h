/*
 * Whether memory is a heap of one of glibc's malloc arenas. Any thread and handler; raw system calls
 * only: what is asked about may be anything. The fault handler has to be in place (sys_copy).
 */
#ifndef COWSPY_TRACK_MALLOC_ARENAS_H
#define COWSPY_TRACK_MALLOC_ARENAS_H

#include <stdint.h>

/* The end of the writable part of the heap that begins at start; 0 where that is not certain. */
uintptr_t malloc_arena_end(uintptr_t start);

#endif
