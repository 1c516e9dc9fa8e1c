#include "pages.h"

#include <stdatomic.h>
#include <stddef.h>

#include "base/memory.h"
#include "base/sys.h"

/*
 * A radix tree over the 47 (56 with five-level paging: folded by the directory) address bits:
 * directory of 16 GiB tables, tables of 2 MiB blocks, blocks of 512 pages. Nodes are added with
 * compare-and-swap and never freed, so a reader needs no lock.
 */
#define BLOCK_SHIFT 21
#define BLOCK_SIZE ((uintptr_t)1 << BLOCK_SHIFT)
#define TABLE_SHIFT 34
#define TABLE_SIZE ((uintptr_t)1 << TABLE_SHIFT)
#define TABLE_BLOCKS (1u << (TABLE_SHIFT - BLOCK_SHIFT))
#define DIRECTORY_TABLES (1u << (47 - TABLE_SHIFT))
#define WORDS 8

/* Of a block that userfaultfd protects, in part or as a whole. */
struct handed {
	_Atomic uint64_t pages[WORDS];
	_Atomic uint64_t empty[WORDS];
};

struct page_block {
	_Atomic uint64_t open[WORDS];
	_Atomic uint64_t kept[WORDS]; /* these stay open */
	_Atomic(_Atomic uint32_t *) events[WORDS];
	_Atomic(struct handed *) handed;
};

struct block_table {
	_Atomic(struct page_block *) blocks[TABLE_BLOCKS];
};

static _Atomic(struct block_table *) directory[DIRECTORY_TABLES];

static unsigned word_of(uintptr_t address)
{
	return (address >> (PAGE_SHIFT + 6)) & (WORDS - 1);
}

static uint64_t bit_of(uintptr_t address)
{
	return (uint64_t)1 << ((address >> PAGE_SHIFT) & 63);
}

static struct block_table *table_find(uintptr_t address)
{
	uintptr_t index = address >> TABLE_SHIFT;
	return index < DIRECTORY_TABLES
		       ? atomic_load_explicit(&directory[index], memory_order_acquire)
		       : NULL;
}

static struct page_block *block_find(uintptr_t address)
{
	struct block_table *table = table_find(address);
	if (!table)
		return NULL;
	return atomic_load_explicit(&table->blocks[(address >> BLOCK_SHIFT) & (TABLE_BLOCKS - 1)],
				    memory_order_acquire);
}

static struct block_table *table_make(uintptr_t address)
{
	uintptr_t index = address >> TABLE_SHIFT;
	if (index >= DIRECTORY_TABLES)
		return NULL;
	struct block_table *table = atomic_load_explicit(&directory[index], memory_order_acquire);
	if (table)
		return table;
	struct block_table *fresh = memory_map(sizeof(*fresh));
	if (!fresh)
		return NULL;
	if (atomic_compare_exchange_strong(&directory[index], &table, fresh))
		return fresh;
	memory_unmap(fresh, sizeof(*fresh));
	return table;
}

static struct page_block *block_make(uintptr_t address)
{
	struct block_table *table = table_make(address);
	if (!table)
		return NULL;
	_Atomic(struct page_block *) *slot =
		&table->blocks[(address >> BLOCK_SHIFT) & (TABLE_BLOCKS - 1)];
	struct page_block *block = atomic_load_explicit(slot, memory_order_acquire);
	if (block)
		return block;
	struct page_block *fresh = memory_alloc(sizeof(*fresh));
	if (!fresh)
		return NULL;
	return atomic_compare_exchange_strong(slot, &block, fresh) ? fresh : block;
}

bool pages_claim(uintptr_t address)
{
	struct page_block *block = block_make(address);
	if (!block)
		return false;
	uint64_t bit = bit_of(address);
	return !(atomic_fetch_or(&block->open[word_of(address)], bit) & bit);
}

void pages_close(uintptr_t address)
{
	struct page_block *block = block_find(address);
	if (block)
		atomic_fetch_and(&block->open[word_of(address)], ~bit_of(address));
}

bool pages_is_open(uintptr_t address)
{
	struct page_block *block = block_find(address);
	return block &&
	       (atomic_load_explicit(&block->open[word_of(address)], memory_order_acquire) &
		bit_of(address));
}

static _Atomic uint32_t *events_find(uintptr_t address)
{
	struct page_block *block = block_find(address);
	return block ? atomic_load_explicit(&block->events[word_of(address)], memory_order_acquire)
		     : NULL;
}

uint32_t pages_event(uintptr_t address)
{
	_Atomic uint32_t *events = events_find(address);
	return events ? atomic_load_explicit(&events[(address >> PAGE_SHIFT) & 63],
					     memory_order_relaxed)
		      : 0;
}

void pages_set_event(uintptr_t address, uint32_t event)
{
	struct page_block *block = block_make(address);
	if (!block)
		return;
	_Atomic(_Atomic uint32_t *) *slot = &block->events[word_of(address)];
	_Atomic uint32_t *events = atomic_load_explicit(slot, memory_order_acquire);
	if (!events) {
		_Atomic uint32_t *fresh = memory_alloc(64 * sizeof(*fresh));
		if (!fresh)
			return;
		if (atomic_compare_exchange_strong(slot, &events, fresh))
			events = fresh;
	}
	atomic_store_explicit(&events[(address >> PAGE_SHIFT) & 63], event, memory_order_relaxed);
}

/* The part of the 64 pages around address that lies below end, as a mask from address on. */
static uint64_t word_mask(uintptr_t address, uintptr_t end)
{
	uintptr_t word_end = (address & ~((uintptr_t)64 * PAGE_SIZE - 1)) + 64 * PAGE_SIZE;
	uint64_t mask = ~(uint64_t)0 << ((address >> PAGE_SHIFT) & 63);
	if (end < word_end)
		mask &= ~(~(uint64_t)0 << ((end >> PAGE_SHIFT) & 63));
	return mask;
}

/* The next existing block in [*address, end), moving *address to its part of the range. */
static struct page_block *block_next(uintptr_t *address, uintptr_t end)
{
	while (*address < end) {
		struct block_table *table = table_find(*address);
		if (!table) {
			*address = (*address & ~(TABLE_SIZE - 1)) + TABLE_SIZE;
			continue;
		}
		struct page_block *block = block_find(*address);
		if (block)
			return block;
		*address = (*address & ~(BLOCK_SIZE - 1)) + BLOCK_SIZE;
	}
	return NULL;
}

static uintptr_t word_end(uintptr_t address, uintptr_t end)
{
	uintptr_t next = (address & ~((uintptr_t)64 * PAGE_SIZE - 1)) + 64 * PAGE_SIZE;
	return next < end ? next : end;
}

static void events_clear(struct page_block *block, uintptr_t address, uint64_t mask)
{
	_Atomic uint32_t *events = atomic_load_explicit(&block->events[word_of(address)],
							memory_order_acquire);
	for (unsigned i = 0; events && mask; i++, mask >>= 1)
		if (mask & 1)
			atomic_store_explicit(&events[i], 0, memory_order_relaxed);
}

static void pages_reset(uintptr_t start, uintptr_t end, bool events, bool kept)
{
	struct page_block *block;
	while ((block = block_next(&start, end))) {
		uint64_t mask = word_mask(start, end);
		unsigned word = word_of(start);
		if (events)
			events_clear(block, start, mask);
		if (kept)
			atomic_fetch_and(&block->kept[word], ~mask);
		atomic_fetch_and(&block->open[word], ~mask | atomic_load(&block->kept[word]));
		start = word_end(start, end);
	}
}

void pages_arm(uintptr_t start, uintptr_t end)
{
	pages_reset(start, end, false, false);
}

void pages_drop(uintptr_t start, uintptr_t end)
{
	pages_reset(start, end, true, false);
}

void pages_forget(uintptr_t start, uintptr_t end)
{
	pages_reset(start, end, true, true);
	pages_take_back(start, end);
}

bool pages_keep(uintptr_t address)
{
	struct page_block *block = block_make(address);
	if (!block)
		return false;
	uint64_t bit = bit_of(address);
	unsigned word = word_of(address);
	bool was_kept = atomic_fetch_or(&block->kept[word], bit) & bit;
	atomic_fetch_or(&block->open[word], bit);
	return !was_kept;
}

bool pages_is_kept(uintptr_t address)
{
	struct page_block *block = block_find(address);
	return block && (atomic_load(&block->kept[word_of(address)]) & bit_of(address));
}

size_t pages_kept(uintptr_t start, uintptr_t end)
{
	struct page_block *block;
	size_t count = 0;
	for (; (block = block_next(&start, end)); start = word_end(start, end))
		count += (size_t)__builtin_popcountll(atomic_load(&block->kept[word_of(start)]) &
						      word_mask(start, end));
	return count;
}

static void page_move(uintptr_t from, uintptr_t to)
{
	uint32_t event = pages_event(from);
	if (event)
		pages_set_event(to, event);
	if (pages_is_open(from))
		pages_claim(to);
	if (pages_is_kept(from))
		pages_keep(to);
}

void pages_move(uintptr_t from, uintptr_t to, uintptr_t length)
{
	uintptr_t at = from, end = from + length;
	while (block_next(&at, end)) {
		uintptr_t stop = word_end(at, end);
		for (; at < stop; at += PAGE_SIZE)
			page_move(at, to + (at - from));
	}
	pages_forget(from, end);
}

/* --- handed over to userfaultfd --- */

static struct handed *handed_find(const struct page_block *block)
{
	return block ? atomic_load_explicit(&block->handed, memory_order_acquire) : NULL;
}

/* Under the write lock: nobody else makes one. */
static struct handed *handed_make(uintptr_t address)
{
	struct page_block *block = block_make(address);
	struct handed *handed = handed_find(block);
	if (handed || !block)
		return handed;
	handed = memory_alloc(sizeof(*handed));
	atomic_store_explicit(&block->handed, handed, memory_order_release);
	return handed;
}

bool pages_hand_over(uintptr_t start, uintptr_t end)
{
	for (; start < end; start = word_end(start, end)) {
		struct handed *handed = handed_make(start);
		if (!handed)
			return false;
		atomic_fetch_or(&handed->pages[word_of(start)], word_mask(start, end));
	}
	return true;
}

void pages_note_empty(uintptr_t start, uintptr_t end)
{
	for (; start < end; start = word_end(start, end)) {
		struct handed *handed = handed_make(start);
		unsigned word = word_of(start);
		if (!handed)
			continue;
		uint64_t known = atomic_load(&block_find(start)->open[word]) |
				 atomic_load(&handed->pages[word]);
		atomic_fetch_or(&handed->empty[word], word_mask(start, end) & ~known);
	}
}

void pages_take_back(uintptr_t start, uintptr_t end)
{
	struct page_block *block;
	for (; (block = block_next(&start, end)); start = word_end(start, end)) {
		struct handed *handed = handed_find(block);
		if (!handed)
			continue;
		atomic_fetch_and(&handed->pages[word_of(start)], ~word_mask(start, end));
		atomic_fetch_and(&handed->empty[word_of(start)], ~word_mask(start, end));
	}
}

bool pages_is_handed(uintptr_t address)
{
	struct handed *handed = handed_find(block_find(address));
	return handed &&
	       (atomic_load_explicit(&handed->pages[word_of(address)], memory_order_acquire) &
		bit_of(address));
}

bool pages_was_empty(uintptr_t address)
{
	struct handed *handed = handed_find(block_find(address));
	return handed &&
	       (atomic_load_explicit(&handed->empty[word_of(address)], memory_order_acquire) &
		bit_of(address));
}

/* --- runs --- */

/* The pages that are wanted, of the 64 around address. */
static uint64_t wanted(enum pages_wanted which, const struct page_block *block, uintptr_t address)
{
	unsigned word = word_of(address);
	const struct handed *handed = handed_find(block);
	uint64_t open = atomic_load_explicit(&block->open[word], memory_order_acquire);
	uint64_t theirs = handed ? atomic_load_explicit(&handed->pages[word], memory_order_acquire)
				 : 0;
	switch (which) {
	case PAGES_OPEN: return open;
	case PAGES_HANDED: return theirs;
	case PAGES_WRITABLE: return open | theirs;
	default: return open & ~theirs;
	}
}

/* Where the run that begins at `at`, or before, ends. */
static uintptr_t run_until(enum pages_wanted which, uintptr_t at, uintptr_t end)
{
	while (at < end) {
		const struct page_block *block = block_find(at);
		unsigned first = (at >> PAGE_SHIFT) & 63;
		uint64_t others = block ? ~wanted(which, block, at) >> first : 1;
		unsigned count = others ? (unsigned)__builtin_ctzll(others) : 64 - first;
		if (count < 64 - first) {
			at += (uintptr_t)count << PAGE_SHIFT;
			return at < end ? at : end;
		}
		at = word_end(at, end);
	}
	return end;
}

bool pages_next(enum pages_wanted which, uintptr_t start, uintptr_t end, uintptr_t *run_start,
		uintptr_t *run_end)
{
	struct page_block *block;
	uint64_t bits = 0;
	while (!bits) {
		block = block_next(&start, end);
		if (!block)
			return false;
		bits = wanted(which, block, start) & word_mask(start, end);
		if (!bits)
			start = word_end(start, end);
	}
	uintptr_t base = start & ~((uintptr_t)64 * PAGE_SIZE - 1);
	*run_start = base + (uintptr_t)__builtin_ctzll(bits) * PAGE_SIZE;
	*run_end = run_until(which, *run_start, end);
	return true;
}
