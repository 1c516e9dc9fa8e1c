#include "record/journal.h"

#include <stdatomic.h>
#include <stddef.h>

#include "base/chunks.h"
#include "base/sys.h"
#include "record/trace.h"

/* The first word holds the page, which no complete record is without. */
union slot {
	struct kept_write write;
	uint64_t words[sizeof(struct kept_write) / sizeof(uint64_t)];
};

static struct chunks records = {.element = sizeof(union slot)};
static _Atomic uint64_t given; /* indices given out; wider than an index, so it cannot wrap */
static _Atomic uint64_t lost;
static _Atomic uint32_t first;
static _Atomic bool is_child;

static uint32_t journal_lose(void)
{
	atomic_fetch_add_explicit(&lost, 1, memory_order_relaxed);
	return 0;
}

/* False when a value is beyond the range of its field. */
static bool pack(const struct first_write *record, struct kept_write *kept)
{
	*kept = (struct kept_write){
		.page_number = record->page >> PAGE_SHIFT,
		.offset = record->offset,
		.kind = record->kind,
		.cause = record->cause,
		.time = record->time,
		.stack = record->stack,
		.previous = record->previous,
		.epoch = record->epoch,
		.thread = record->thread,
		.syscall = record->syscall,
	};
	return kept_page(kept) == record->page && kept->offset == record->offset &&
	       kept->kind == record->kind && kept->cause == record->cause &&
	       kept->thread == record->thread && kept->syscall == record->syscall;
}

/*
 * The first word tells a complete record from one still being written: it is stored last, with
 * release, and read first, with acquire.
 */
static uint32_t journal_keep(const struct first_write *record)
{
	union slot packed, *slot;
	if (!pack(record, &packed.write))
		return journal_lose();
	uint64_t index = atomic_fetch_add_explicit(&given, 1, memory_order_relaxed) + 1;
	if (index > UINT32_MAX)
		return journal_lose();
	slot = chunks_make(&records, (uint32_t)index);
	if (!slot)
		return journal_lose();
	for (unsigned i = 1; i < sizeof(packed.words) / sizeof(*packed.words); i++)
		slot->words[i] = packed.words[i];
	__atomic_store_n(&slot->words[0], packed.words[0], __ATOMIC_RELEASE);
	return (uint32_t)index;
}

uint32_t journal_append(const struct first_write *record)
{
	uint32_t index = journal_keep(record);
	trace_first_write(record, index);
	return index;
}

const struct kept_write *journal_get(uint32_t index)
{
	const union slot *slot;

	if (index == 0 || index > journal_count())
		return NULL;
	slot = chunks_get(&records, index);
	if (!slot || !__atomic_load_n(&slot->words[0], __ATOMIC_ACQUIRE))
		return NULL;
	return &slot->write;
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
