/* The stack table: a hash table of chains that only ever grow at their heads. */
#include <stdatomic.h>
#include <string.h>

#include "base/chunks.h"
#include "base/memory.h"
#include "observe/stacks.h"

#define BUCKETS 65536u

struct stack {
	struct stack *next;
	uint64_t hash;
	uint32_t id;
	uint32_t depth;
	uintptr_t frames[];
};

static _Atomic(_Atomic(struct stack *) *) buckets;
static struct chunks stacks = {.element = sizeof(struct stack *)};
static _Atomic uint32_t count; /* STACKS_OTHER once the table is full */

static uint64_t stack_hash(const uintptr_t *frames, unsigned depth)
{
	uint64_t hash = depth;
	for (unsigned i = 0; i < depth; i++) {
		hash = (hash ^ frames[i]) * 0x9e3779b97f4a7c15u;
		hash ^= hash >> 29;
	}
	return hash;
}

static _Atomic(struct stack *) *bucket_of(uint64_t hash)
{
	size_t size = BUCKETS * sizeof(struct stack *);
	_Atomic(struct stack *) *table = atomic_load_explicit(&buckets, memory_order_acquire);
	if (!table) {
		_Atomic(struct stack *) *fresh = memory_map(size);
		if (!fresh)
			return NULL;
		if (atomic_compare_exchange_strong(&buckets, &table, fresh))
			table = fresh;
		else
			memory_unmap(fresh, size);
	}
	return &table[(hash >> 32) % BUCKETS];
}

/* Search a chain from its head down to, and without, `known`. */
static struct stack *chain_find(struct stack *head, const struct stack *known, uint64_t hash,
				const uintptr_t *frames, unsigned depth)
{
	for (struct stack *stack = head; stack != known; stack = stack->next) {
		if (stack->hash == hash && stack->depth == depth &&
		    memcmp(stack->frames, frames, depth * sizeof(*frames)) == 0)
			return stack;
	}
	return NULL;
}

/* 0 when the table is full. */
static uint32_t take_id(void)
{
	uint32_t now = atomic_load_explicit(&count, memory_order_relaxed);
	while (now < STACKS_OTHER)
		if (atomic_compare_exchange_weak_explicit(
			    &count, &now, now + 1, memory_order_relaxed, memory_order_relaxed))
			return now < STACKS_MOST ? now + 1 : 0;
	return 0;
}

static struct stack *stack_create(uint64_t hash, uint32_t id, const uintptr_t *frames,
				  unsigned depth)
{
	struct stack *stack = memory_alloc(sizeof(*stack) + depth * sizeof(*frames));
	_Atomic(struct stack *) *slot;

	if (!stack)
		return NULL;
	stack->hash = hash;
	stack->depth = depth;
	memcpy(stack->frames, frames, depth * sizeof(*frames));
	stack->id = id;
	slot = chunks_make(&stacks, id);
	if (!slot)
		return NULL;
	atomic_store_explicit(slot, stack, memory_order_release);
	return stack;
}

/*
 * A stack is complete and reachable by its id before it is linked, so whoever finds it may use it.
 * Of two threads that insert the same stack at once, the one whose link fails finds the other's
 * among the new heads; its own stays reachable by an id that nobody was given.
 */
uint32_t stacks_insert(const uintptr_t *frames, unsigned depth)
{
	uint64_t hash = stack_hash(frames, depth);
	_Atomic(struct stack *) *bucket = bucket_of(hash);
	struct stack *head, *searched, *fresh;
	struct stack *found;
	uint32_t id;

	if (!bucket || depth == 0)
		return 0;
	head = atomic_load_explicit(bucket, memory_order_acquire);
	found = chain_find(head, NULL, hash, frames, depth);
	if (found)
		return found->id;
	id = take_id();
	if (!id)
		return STACKS_OTHER;
	fresh = stack_create(hash, id, frames, depth);
	if (!fresh)
		return 0;
	do {
		fresh->next = searched = head;
		if (atomic_compare_exchange_strong(bucket, &head, fresh))
			return fresh->id;
		found = chain_find(head, searched, hash, frames, depth);
	} while (!found);
	return found->id;
}

unsigned stacks_get(uint32_t id, const uintptr_t **frames)
{
	_Atomic(struct stack *) *slot;
	struct stack *stack;

	if (id == 0 || id > stacks_count())
		return 0;
	slot = chunks_get(&stacks, id);
	stack = slot ? atomic_load_explicit(slot, memory_order_acquire) : NULL;
	if (!stack)
		return 0;
	*frames = stack->frames;
	return stack->depth;
}

uint32_t stacks_count(void)
{
	return atomic_load_explicit(&count, memory_order_relaxed);
}
