#include "memory.h"

#include <stdatomic.h>
#include <sys/mman.h>

#include "sys.h"

#define CHUNK_SIZE ((size_t)256 << 10)

struct chunk {
	_Atomic size_t taken;
};

static _Atomic(struct chunk *) current;

/* All that is ours, so that nobody protects it. Slots with end 0 are free. */
#define OURS_MOST 65536 /* three for each thread; touched as they are used */
static struct {
	_Atomic uintptr_t start;
	_Atomic uintptr_t end;
} ours[OURS_MOST];
static _Atomic unsigned ours_count; /* slots ever used */

void memory_note(uintptr_t start, uintptr_t end)
{
	for (unsigned i = 0; i < OURS_MOST; i++) {
		uintptr_t free = 0;
		if (!atomic_compare_exchange_strong(&ours[i].end, &free, end))
			continue;
		atomic_store(&ours[i].start, start);
		unsigned count = atomic_load(&ours_count);
		while (count <= i && !atomic_compare_exchange_weak(&ours_count, &count, i + 1))
			;
		return;
	}
}

static void forget(uintptr_t start)
{
	unsigned count = atomic_load(&ours_count);
	for (unsigned i = 0; i < count; i++) {
		if (atomic_load(&ours[i].start) != start || !atomic_load(&ours[i].end))
			continue;
		atomic_store(&ours[i].start, ~(uintptr_t)0);
		atomic_store(&ours[i].end, 0);
		return;
	}
}

void memory_forget(uintptr_t start, uintptr_t end)
{
	unsigned count = atomic_load(&ours_count);
	for (unsigned i = 0; i < count; i++) {
		uintptr_t from = atomic_load(&ours[i].start), to = atomic_load(&ours[i].end);
		if (to <= start || from >= end)
			continue;
		if (from < start) {
			atomic_store(&ours[i].end, start);
		} else if (to > end) {
			atomic_store(&ours[i].start, end);
		} else {
			atomic_store(&ours[i].start, ~(uintptr_t)0);
			atomic_store(&ours[i].end, 0);
		}
	}
}

bool memory_is_ours(uintptr_t address, uintptr_t *end)
{
	unsigned count = atomic_load(&ours_count);
	for (unsigned i = 0; i < count; i++) {
		uintptr_t range_end = atomic_load(&ours[i].end);
		if (address >= atomic_load(&ours[i].start) && address < range_end) {
			*end = range_end;
			return true;
		}
	}
	return false;
}

bool memory_next_ours(uintptr_t address, uintptr_t *start)
{
	uintptr_t best = ~(uintptr_t)0;
	unsigned count = atomic_load(&ours_count);
	for (unsigned i = 0; i < count; i++) {
		uintptr_t at = atomic_load(&ours[i].start);
		if (atomic_load(&ours[i].end) && at > address && at < best)
			best = at;
	}
	*start = best;
	return best != ~(uintptr_t)0;
}

void *memory_map(size_t size)
{
	size = page_ceil(size);
	long address = sys_call6(SYS_mmap, 0, size, PROT_READ | PROT_WRITE,
				 MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	if (sys_failed(address))
		return NULL;
	memory_note((uintptr_t)address, (uintptr_t)address + size);
	return (void *)address;
}

void memory_unmap(void *address, size_t size)
{
	size = page_ceil(size);
	forget((uintptr_t)address);
	sys_call2(SYS_munmap, address, size);
}

static void *chunk_take(struct chunk *chunk, size_t size)
{
	size_t offset = atomic_fetch_add_explicit(&chunk->taken, size, memory_order_relaxed);
	return offset + size <= CHUNK_SIZE ? (char *)chunk + offset : NULL;
}

void *memory_alloc(size_t size)
{
	size = (size + 15) & ~(size_t)15;
	if (size > CHUNK_SIZE / 4)
		return memory_map(size);
	for (;;) {
		struct chunk *chunk = atomic_load_explicit(&current, memory_order_acquire);
		void *taken = chunk ? chunk_take(chunk, size) : NULL;
		if (taken)
			return taken;
		struct chunk *fresh = memory_map(CHUNK_SIZE);
		if (!fresh)
			return NULL;
		atomic_store_explicit(&fresh->taken, sizeof(struct chunk) + 8,
				      memory_order_relaxed);
		if (!atomic_compare_exchange_strong(&current, &chunk, fresh))
			memory_unmap(fresh, CHUNK_SIZE);
	}
}

bool memory_ours(unsigned *next, uintptr_t *start, uintptr_t *end)
{
	unsigned count = atomic_load(&ours_count);
	while (*next < count) {
		unsigned i = (*next)++;
		*end = atomic_load(&ours[i].end);
		*start = atomic_load(&ours[i].start);
		if (*start < *end)
			return true;
	}
	return false;
}

size_t memory_used(void)
{
	uintptr_t start, end;
	size_t used = 0;
	for (unsigned next = 0; memory_ours(&next, &start, &end);)
		used += end - start;
	return used;
}
