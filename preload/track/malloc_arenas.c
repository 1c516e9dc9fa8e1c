#include "malloc_arenas.h"

#include <stdbool.h>

#include "base/sys.h"

/* glibc's malloc/arena.c, 64 bit: a heap begins at a multiple of its greatest size. */
#define HEAP_MOST ((uintptr_t)64 << 20)
#define HEAPS_MOST 4096u /* of one arena; more are no chain of heaps */
#define TOP_OFFSET 96u   /* of the top chunk's address in an arena */

struct heap {
	uintptr_t arena;
	uintptr_t previous; /* 0: the arena itself lies in this one */
	uintptr_t size;
	uintptr_t writable; /* bytes from its start on */
};

static bool read_heap(uintptr_t start, struct heap *heap)
{
	return start && start % HEAP_MOST == 0 &&
	       sys_copy(heap, (const void *)start, sizeof(*heap)) == 0 && heap->size &&
	       heap->size <= heap->writable && heap->writable <= HEAP_MOST &&
	       heap->size % PAGE_SIZE == 0 && heap->writable % PAGE_SIZE == 0;
}

/* The arena follows its heap's header, which grew by two words with glibc 2.35. */
static bool is_first(uintptr_t start, const struct heap *heap)
{
	return !heap->previous && (heap->arena == start + 0x20 || heap->arena == start + 0x30);
}

/* Where the arena goes on to allocate is a heap of its own. */
static bool has_top(uintptr_t arena)
{
	uintptr_t top;
	struct heap heap;
	return sys_copy(&top, (const void *)(arena + TOP_OFFSET), sizeof(top)) == 0 &&
	       read_heap(top & ~(HEAP_MOST - 1), &heap) && heap.arena == arena;
}

uintptr_t malloc_arena_end(uintptr_t start)
{
	struct heap heap, before;
	uintptr_t at = start, end;

	if (!read_heap(start, &heap))
		return 0;
	end = start + heap.writable;
	for (unsigned i = 0; heap.previous && i < HEAPS_MOST; i++) {
		at = heap.previous;
		if (!read_heap(at, &before) || before.arena != heap.arena)
			return 0;
		heap = before;
	}
	return is_first(at, &heap) && has_top(heap.arena) ? end : 0;
}
