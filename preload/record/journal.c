#include "record/journal.h"

#include <stdatomic.h>
#include <stddef.h>

#include "base/chunks.h"
#include "record/trace.h"

static struct chunks records = {.element = sizeof(struct first_write)};
static _Atomic uint64_t given; /* indices given out; wider than an index, so it cannot wrap */
static _Atomic uint64_t lost;
static _Atomic uint32_t first;
static _Atomic bool is_child;

static uint32_t journal_lose(void)
{
	atomic_fetch_add_explicit(&lost, 1, memory_order_relaxed);
	return 0;
}

/*
 * `page` tells a complete record from one still being written: it is stored last, with release,
 * and read first, with acquire.
 */
static uint32_t journal_keep(const struct first_write *record)
{
	uint64_t index = atomic_fetch_add_explicit(&given, 1, memory_order_relaxed) + 1;
	struct first_write *slot;

	if (index > UINT32_MAX)
		return journal_lose();
	slot = chunks_make(&records, (uint32_t)index);
	if (!slot)
		return journal_lose();
	slot->time = record->time;
	slot->stack = record->stack;
	slot->thread = record->thread;
	slot->epoch = record->epoch;
	slot->previous = record->previous;
	slot->syscall = record->syscall;
	slot->kind = record->kind;
	slot->cause = record->cause;
	slot->offset = record->offset;
	__atomic_store_n(&slot->page, record->page, __ATOMIC_RELEASE);
	return (uint32_t)index;
}

uint32_t journal_append(const struct first_write *record)
{
	uint32_t index = journal_keep(record);
	trace_first_write(record, index);
	return index;
}

const struct first_write *journal_get(uint32_t index)
{
	const struct first_write *slot;

	if (index == 0 || index > journal_count())
		return NULL;
	slot = chunks_get(&records, index);
	if (!slot || !__atomic_load_n(&slot->page, __ATOMIC_ACQUIRE))
		return NULL;
	return slot;
}

uint32_t journal_count(void)
{
	uint64_t count = atomic_load_explicit(&given, memory_order_relaxed);
	return count > UINT32_MAX ? UINT32_MAX : (uint32_t)count;
}

uint64_t journal_lost(void)
{
	return atomic_load_explicit(&lost, memory_order_relaxed);
}

uint32_t journal_first(void)
{
	return atomic_load_explicit(&first, memory_order_relaxed);
}

void journal_begin(void)
{
	atomic_store_explicit(&first, journal_count(), memory_order_relaxed);
	atomic_store_explicit(&lost, 0, memory_order_relaxed);
	atomic_store_explicit(&is_child, true, memory_order_relaxed);
}

bool journal_is_child(void)
{
	return atomic_load_explicit(&is_child, memory_order_relaxed);
}
