#include "memory.h"

#include <stdatomic.h>
#include <sys/mman.h>

#include "sys.h"

#define CHUNK_SIZE ((size_t)256 << 10)

struct chunk {
	_Atomic size_t taken;
};

static _Atomic(struct chunk *) current;
static _Atomic size_t used;

void *memory_map(size_t size)
{
	size = page_ceil(size);
	long address = sys_call6(SYS_mmap, 0, size, PROT_READ | PROT_WRITE,
				 MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	if (sys_failed(address))
		return NULL;
	atomic_fetch_add_explicit(&used, size, memory_order_relaxed);
	return (void *)address;
}

void memory_unmap(void *address, size_t size)
{
	size = page_ceil(size);
	sys_call2(SYS_munmap, address, size);
	atomic_fetch_sub_explicit(&used, size, memory_order_relaxed);
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
		atomic_store_explicit(&fresh->taken, sizeof(struct chunk) + 8, memory_order_relaxed);
		if (!atomic_compare_exchange_strong(&current, &chunk, fresh))
			memory_unmap(fresh, CHUNK_SIZE);
	}
}

size_t memory_used(void)
{
	return atomic_load_explicit(&used, memory_order_relaxed);
}
