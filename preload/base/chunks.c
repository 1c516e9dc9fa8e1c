#include "base/chunks.h"

#include <stdatomic.h>

#include "base/memory.h"

/* Which part an index lies in, and where in it. */
static unsigned chunks_locate(uint32_t index, size_t *offset)
{
	uint64_t shifted = (uint64_t)index + CHUNKS_FIRST;
	unsigned part = 63u - (unsigned)__builtin_clzll(shifted / CHUNKS_FIRST);
	*offset = shifted - ((uint64_t)CHUNKS_FIRST << part);
	return part;
}

void *chunks_get(struct chunks *chunks, uint32_t index)
{
	size_t offset;
	unsigned part = chunks_locate(index, &offset);
	char *base = atomic_load_explicit(&chunks->parts[part], memory_order_acquire);
	return base ? base + offset * chunks->element : NULL;
}

static void *part_make(struct chunks *chunks, unsigned part)
{
	size_t size = ((size_t)CHUNKS_FIRST << part) * chunks->element;
	void *fresh = memory_map(size);
	void *present = NULL;
	if (!fresh)
		return NULL;
	if (atomic_compare_exchange_strong(&chunks->parts[part], &present, fresh))
		return fresh;
	memory_unmap(fresh, size);
	return present;
}

void *chunks_make(struct chunks *chunks, uint32_t index)
{
	size_t offset;
	unsigned part = chunks_locate(index, &offset);
	char *base = atomic_load_explicit(&chunks->parts[part], memory_order_acquire);
	if (!base)
		base = part_make(chunks, part);
	return base ? base + offset * chunks->element : NULL;
}
