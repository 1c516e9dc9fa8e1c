/* A hash table from 64-bit keys to 32-bit numbers. Single-threaded. */
#ifndef COWSPY_TOOLS_TABLE_H
#define COWSPY_TOOLS_TABLE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define TABLE_NONE UINT32_MAX

struct table {
	struct table_slot *slots;
	size_t capacity, count;
};

/* TABLE_NONE when the key is not there. */
uint32_t table_get(const struct table *table, uint64_t key);

/* Set or replace; a value may not be TABLE_NONE. False without memory. */
bool table_set(struct table *table, uint64_t key, uint32_t value);

void table_free(struct table *table);

/* Make room for one more of count elements in a growing array; false without memory. */
bool array_grow(void *array, size_t count, size_t *capacity, size_t element);

#endif
