/*
 * Growing arrays of one owner, given back as a whole. Elements begin as zeros and move when the
 * list grows. Signal-safe; memory comes from memory_map.
 */
#ifndef COWSPY_BASE_LIST_H
#define COWSPY_BASE_LIST_H

#include <stddef.h>

struct list {
	size_t element; /* size of one element in bytes */
	size_t count;
	size_t capacity;
	void *items;
};

/* `more` new elements at the end: the first of them, or NULL when memory is out. */
void *list_extend(struct list *list, size_t more);

static inline void *list_at(const struct list *list, size_t index)
{
	return (char *)list->items + index * list->element;
}

void list_release(struct list *list);

#endif
