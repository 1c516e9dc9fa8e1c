#include "base/list.h"

#include <string.h>

#include "base/memory.h"

#define FIRST_SIZE ((size_t)64 << 10)

static int list_grow(struct list *list, size_t needed)
{
	size_t capacity = list->capacity ? list->capacity : FIRST_SIZE / list->element;
	void *items;

	while (capacity < needed)
		capacity *= 2;
	items = memory_map(capacity * list->element);
	if (!items)
		return -1;
	if (list->items) {
		memcpy(items, list->items, list->count * list->element);
		memory_unmap(list->items, list->capacity * list->element);
	}
	list->items = items;
	list->capacity = capacity;
	return 0;
}

void *list_extend(struct list *list, size_t more)
{
	size_t at = list->count;

	if (at + more > list->capacity && list_grow(list, at + more))
		return NULL;
	list->count += more;
	return list_at(list, at);
}

void list_release(struct list *list)
{
	if (list->items)
		memory_unmap(list->items, list->capacity * list->element);
	list->items = NULL;
	list->count = list->capacity = 0;
}
