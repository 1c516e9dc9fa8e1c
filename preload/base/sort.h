/* Sorting in place without allocation or recursion: usable in signal handlers, unlike qsort. */
#ifndef COWSPY_BASE_SORT_H
#define COWSPY_BASE_SORT_H

#include <stddef.h>

/* Negative, 0, positive: as for qsort. Elements of at most SORT_ELEMENT_MOST bytes. */
typedef int (*sort_compare)(const void *left, const void *right);
#define SORT_ELEMENT_MOST 64

void sort_heap(void *base, size_t count, size_t size, sort_compare compare);

#endif
