#include "regions.h"

#include <errno.h>
#include <stdatomic.h>
#include <string.h>

#include "base/memory.h"
#include "base/sys.h"
#include "record/trace.h"
#include "trace_regions.h"

/*
 * Two levels: an array of blocks sorted by address, each with up to BLOCK_MOST sorted pointers.
 * Blocks and regions are recycled, never unmapped, so that an optimistic reader that is overtaken
 * by a writer reads stale values but never faults; the sequence number tells it to try again.
 */
#define BLOCK_MOST 128
#define BLOCKS_MOST (1u << 16)

struct block {
	unsigned count;
	struct region *regions[BLOCK_MOST];
	struct block *next_free;
};

static struct block **blocks; /* reserved for BLOCKS_MOST, touched as it grows */
static unsigned block_count;
static size_t regions_total;
static _Atomic size_t armed_total;
static _Atomic int selector_users;
static bool selector_stopped;
volatile uint8_t region_selector;
static _Atomic uint32_t sequence;
static uint32_t last_id;
static struct block *free_blocks;
static struct region *free_regions; /* linked through ->name */

static void write_begin(void)
{
	atomic_fetch_add_explicit(&sequence, 1, memory_order_acq_rel);
	atomic_thread_fence(memory_order_seq_cst);
}

static void write_end(void)
{
	atomic_fetch_add_explicit(&sequence, 1, memory_order_release);
}

static struct region *region_allocate(void)
{
	struct region *region = free_regions;
	if (!region)
		return memory_alloc(sizeof(*region));
	free_regions = (struct region *)(uintptr_t)region->name;
	return region;
}

static void region_recycle(struct region *region)
{
	region->name = (const char *)free_regions;
	free_regions = region;
}

static struct block *block_allocate(void)
{
	struct block *block = free_blocks;
	if (!block)
		return memory_alloc(sizeof(*block));
	free_blocks = block->next_free;
	return block;
}

static bool blocks_start(void)
{
	if (!blocks)
		blocks = memory_map(BLOCKS_MOST * sizeof(*blocks));
	return blocks;
}

/* The last block that starts at or below address; 0 when there is none. */
static unsigned block_search(uintptr_t address)
{
	unsigned low = 0, high = block_count;
	while (high - low > 1) {
		unsigned middle = low + (high - low) / 2;
		if (blocks[middle]->regions[0]->start <= address)
			low = middle;
		else
			high = middle;
	}
	return low;
}

/* The first region of the block whose end lies above address. */
static unsigned slot_search(const struct block *block, uintptr_t address)
{
	unsigned low = 0, high = block->count < BLOCK_MOST ? block->count : BLOCK_MOST;
	while (low < high) {
		unsigned middle = low + (high - low) / 2;
		if (block->regions[middle]->end > address)
			high = middle;
		else
			low = middle + 1;
	}
	return low;
}

struct region *region_find(uintptr_t address, bool or_above)
{
	if (!block_count)
		return NULL;
	unsigned index = block_search(address);
	unsigned slot = slot_search(blocks[index], address);
	if (slot == blocks[index]->count) {
		if (++index >= block_count)
			return NULL;
		slot = 0;
	}
	struct region *region = blocks[index]->regions[slot];
	if (!region) /* seen by an optimistic reader only */
		return NULL;
	return or_above || region->start <= address ? region : NULL;
}

static bool region_read(uintptr_t address, bool or_above, struct region *copy)
{
	for (;;) {
		uint32_t before = atomic_load_explicit(&sequence, memory_order_acquire);
		if (before & 1) {
			sys_call0(SYS_sched_yield);
			continue;
		}
		const struct region *found = region_find(address, or_above);
		if (found)
			*copy = *found;
		atomic_thread_fence(memory_order_acquire);
		if (atomic_load_explicit(&sequence, memory_order_relaxed) == before)
			return found;
	}
}

bool region_peek(uintptr_t address, struct region *copy)
{
	return region_read(address, false, copy);
}

bool region_copy_next(uintptr_t address, struct region *copy)
{
	return region_read(address, true, copy);
}

bool region_any(uintptr_t start, uintptr_t end)
{
	struct region region;
	return region_copy_next(start, &region) && region.start < end;
}

static bool block_insert(unsigned index, struct block *block)
{
	if (block_count == BLOCKS_MOST)
		return false;
	memmove(&blocks[index + 1], &blocks[index], (block_count - index) * sizeof(*blocks));
	blocks[index] = block;
	block_count++;
	return true;
}

/* Move the upper half of a full block into a new one behind it. */
static bool block_divide(unsigned index)
{
	struct block *block = blocks[index];
	struct block *upper = block_allocate();
	if (!upper)
		return false;
	upper->count = block->count / 2;
	memcpy(upper->regions, &block->regions[block->count - upper->count],
	       upper->count * sizeof(upper->regions[0]));
	if (!block_insert(index + 1, upper))
		return false;
	block->count -= upper->count;
	return true;
}

static bool first_block(void)
{
	if (block_count)
		return true;
	struct block *block = blocks_start() ? block_allocate() : NULL;
	if (!block)
		return false;
	block->count = 0;
	return block_insert(0, block);
}

static bool slot_insert(struct region *region)
{
	if (!first_block())
		return false;
	unsigned index = blocks[0]->count ? block_search(region->start) : 0;
	if (blocks[index]->count == BLOCK_MOST) {
		if (!block_divide(index))
			return false;
		index = block_search(region->start);
	}
	struct block *block = blocks[index];
	unsigned slot = slot_search(block, region->start);
	memmove(&block->regions[slot + 1], &block->regions[slot],
		(block->count - slot) * sizeof(block->regions[0]));
	block->regions[slot] = region;
	block->count++;
	return true;
}

static void slot_remove(unsigned index, unsigned slot)
{
	struct block *block = blocks[index];
	block->count--;
	memmove(&block->regions[slot], &block->regions[slot + 1],
		(block->count - slot) * sizeof(block->regions[0]));
	if (block->count)
		return;
	block_count--;
	memmove(&blocks[index], &blocks[index + 1], (block_count - index) * sizeof(*blocks));
	block->next_free = free_blocks;
	free_blocks = block;
}

static void selector_count(int change)
{
	int before = atomic_fetch_add(&selector_users, change);
	if (before == 0 || before + change == 0)
		region_selector = before + change > 0 && !selector_stopped;
}

void region_selector_stop(void)
{
	selector_stopped = true;
	region_selector = 0;
}

void region_selector_hold(bool hold)
{
	selector_count(hold ? 1 : -1);
}

void region_armed_changed(const struct region *before, const struct region *after)
{
	int change = (after && region_armed(after)) - (before && region_armed(before));
	if (change) {
		atomic_fetch_add(&armed_total, (size_t)change);
		selector_count(change);
	}
}

static struct region *insert(const struct region *model)
{
	write_begin();
	struct region *region = region_allocate();
	if (region) {
		*region = *model;
		region->id = ++last_id;
		if (!slot_insert(region)) {
			region_recycle(region);
			region = NULL;
		}
	}
	if (region) {
		regions_total++;
		region_armed_changed(NULL, region);
	}
	write_end();
	return region;
}

struct region *region_insert(const struct region *model)
{
	struct region *region = insert(model);
	if (region)
		trace_region(region);
	return region;
}

int region_split(uintptr_t address)
{
	struct region *region = region_find(address, false);
	if (!region || region->start == address)
		return 0;
	struct region upper = *region;
	upper.start = address;
	write_begin();
	uintptr_t old_end = region->end;
	region->end = address;
	write_end();
	if (insert(&upper))
		return 0;
	region->end = old_end;
	return -ENOMEM;
}

static void region_delete(struct region *region)
{
	write_begin();
	unsigned index = block_search(region->start);
	slot_remove(index, slot_search(blocks[index], region->start));
	region_armed_changed(region, NULL);
	region_recycle(region);
	regions_total--;
	write_end();
}

int region_remove(uintptr_t start, uintptr_t end)
{
	if (region_split(start) || region_split(end))
		return -ENOMEM;
	struct region *region = region_find(start, true);
	if (!region || region->start >= end)
		return 0;
	for (; region && region->start < end; region = region_find(start, true))
		region_delete(region);
	trace_mapping_remove(start, end);
	return 0;
}

size_t region_count(void)
{
	return regions_total;
}

size_t region_armed_count(void)
{
	return atomic_load_explicit(&armed_total, memory_order_relaxed);
}
