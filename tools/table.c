#include "table.h"

#include <stdlib.h>
#include <string.h>

#include "intern.h"

struct table_slot {
	uint64_t key;
	uint32_t value; /* TABLE_NONE: free */
};

static size_t slot_of(const struct table *table, uint64_t key)
{
	size_t slot = intern_hash(&key, sizeof(key)) & (table->capacity - 1);
	while (table->slots[slot].value != TABLE_NONE && table->slots[slot].key != key)
		slot = (slot + 1) & (table->capacity - 1);
	return slot;
}

uint32_t table_get(const struct table *table, uint64_t key)
{
	return table->capacity ? table->slots[slot_of(table, key)].value : TABLE_NONE;
}

static bool grow(struct table *table)
{
	struct table old = *table;
	size_t capacity = old.capacity ? old.capacity * 2 : 64;
	struct table_slot *slots = malloc(capacity * sizeof(*slots));

	if (!slots)
		return false;
	memset(slots, 0xff, capacity * sizeof(*slots));
	table->slots = slots;
	table->capacity = capacity;
	for (size_t i = 0; i < old.capacity; i++)
		if (old.slots[i].value != TABLE_NONE)
			slots[slot_of(table, old.slots[i].key)] = old.slots[i];
	free(old.slots);
	return true;
}

bool table_set(struct table *table, uint64_t key, uint32_t value)
{
	size_t slot;
	if (table->count * 2 >= table->capacity && !grow(table))
		return false;
	slot = slot_of(table, key);
	table->count += table->slots[slot].value == TABLE_NONE;
	table->slots[slot] = (struct table_slot){.key = key, .value = value};
	return true;
}

void table_free(struct table *table)
{
	free(table->slots);
	*table = (struct table){0};
}

bool array_grow(void *array, size_t count, size_t *capacity, size_t element)
{
	size_t more;
	void *grown;

	if (count < *capacity)
		return true;
	more = *capacity ? *capacity * 2 : 8;
	grown = reallocarray(*(void **)array, more, element);
	if (!grown)
		return false;
	*(void **)array = grown;
	*capacity = more;
	return true;
}
