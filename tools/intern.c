#include "intern.h"

#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

#define BLOCK_SIZE 65536

struct intern_block {
	struct intern_block *next;
	size_t used, size;
	char data[];
};

static uint64_t seed(void)
{
	static uint64_t value;
	if (!value && getrandom(&value, sizeof(value), GRND_NONBLOCK) != sizeof(value))
		value = (uintptr_t)&value;
	return value;
}

/* FNV-1a with a final mix. */
uint64_t intern_hash(const void *bytes, size_t length)
{
	const unsigned char *byte = bytes;
	uint64_t hash = 0xcbf29ce484222325 ^ seed();
	for (size_t i = 0; i < length; i++)
		hash = (hash ^ byte[i]) * 0x100000001b3;
	hash ^= hash >> 32;
	hash *= 0x9e3779b97f4a7c15;
	return hash ^ hash >> 29;
}

/* Kept strings have their length in front. */
static size_t length_of(const char *kept)
{
	size_t length;
	memcpy(&length, kept - sizeof(length), sizeof(length));
	return length;
}

static const char *keep(struct intern *intern, const char *bytes, size_t length)
{
	size_t needed = (sizeof(length) + length + 1 + 7) & ~(size_t)7;
	struct intern_block *block = intern->blocks;
	char *kept;

	if (!block || block->size - block->used < needed) {
		size_t size = needed > BLOCK_SIZE ? needed : BLOCK_SIZE;
		block = malloc(sizeof(*block) + size);
		if (!block)
			return NULL;
		block->next = intern->blocks;
		block->used = 0;
		block->size = size;
		intern->blocks = block;
	}
	kept = block->data + block->used + sizeof(length);
	memcpy(kept - sizeof(length), &length, sizeof(length));
	memcpy(kept, bytes, length);
	kept[length] = 0;
	block->used += needed;
	return kept;
}

/* The slot of a string, or the free one where it belongs. */
static size_t slot_of(const struct intern *intern, const char *bytes, size_t length)
{
	size_t slot = intern_hash(bytes, length) & (intern->capacity - 1);
	while (intern->slots[slot] && (length_of(intern->slots[slot]) != length ||
				       memcmp(intern->slots[slot], bytes, length) != 0))
		slot = (slot + 1) & (intern->capacity - 1);
	return slot;
}

static int grow(struct intern *intern)
{
	struct intern old = *intern;
	intern->capacity = old.capacity ? old.capacity * 2 : 256;
	intern->slots = calloc(intern->capacity, sizeof(*intern->slots));
	if (!intern->slots) {
		*intern = old;
		return -1;
	}
	for (size_t i = 0; i < old.capacity; i++)
		if (old.slots[i])
			intern->slots[slot_of(intern, old.slots[i], length_of(old.slots[i]))] =
				old.slots[i];
	free(old.slots);
	return 0;
}

const char *intern_bytes(struct intern *intern, const char *bytes, size_t length)
{
	size_t slot;
	if (intern->count * 4 >= intern->capacity * 3 && grow(intern) != 0)
		return NULL;
	slot = slot_of(intern, bytes, length);
	if (!intern->slots[slot]) {
		intern->slots[slot] = keep(intern, bytes, length);
		intern->count += intern->slots[slot] != NULL;
	}
	return intern->slots[slot];
}

const char *intern_string(struct intern *intern, const char *string)
{
	return intern_bytes(intern, string, strlen(string));
}

void intern_free(struct intern *intern)
{
	while (intern->blocks) {
		struct intern_block *next = intern->blocks->next;
		free(intern->blocks);
		intern->blocks = next;
	}
	free(intern->slots);
	*intern = (struct intern){0};
}
