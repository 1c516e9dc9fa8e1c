#include "mappings.h"

#include <errno.h>
#include <linux/mman.h>
#include <sys/mman.h>

#include "base/sys.h"
#include "fault.h"
#include "guard.h"
#include "observe/locks.h"
#include "observe/maps.h"
#include "observe/truth.h"
#include "pages.h"
#include "record/trace.h"
#include "trace_regions.h"

#ifndef MADV_POPULATE_WRITE
#define MADV_POPULATE_WRITE 23
#endif

static enum region_limit limit_for_all;

/*
 * An anonymous mapping that was never written has no anon_vma. Protected like that it loses its
 * memory accounting (VM_ACCOUNT); each of its pieces gets an own anon_vma with its first page, and
 * can never be merged with the others again: mremap would refuse the range, mprotect could not give
 * VMAs back, and fork would not copy the page tables of unwritten pieces. Writing one page and
 * dropping it gives all of them one. Only for a page that holds nothing, in a region that nobody
 * can have written meanwhile, and that is not locked: then the page could not be dropped again.
 */
static void make_whole(const struct region *region)
{
	if (region->file || region->shared_since_fork ||
	    locks_any(region->start, region->start + PAGE_SIZE))
		return;
	if (sys_call3(SYS_madvise, region->start, PAGE_SIZE, MADV_POPULATE_WRITE) == 0)
		sys_call3(SYS_madvise, region->start, PAGE_SIZE, MADV_DONTNEED);
}

static bool holds_nothing(uintptr_t page)
{
	page_flags_t flags;
	return truth_page(page, &flags) == 0 && !flags;
}

struct region *mappings_add(const struct region *model)
{
	mappings_remove(model->start, model->end);
	struct region limited = *model;
	if (limit_for_all && !limited.limit)
		limited.limit = limit_for_all;
	struct region *region = region_insert(&limited);
	if (region && region_armed(region)) {
		make_whole(region);
		guard_apply(region, region->start, region->end);
	}
	return region;
}

void mappings_extend(uintptr_t start, uintptr_t end)
{
	struct region *below = region_find(start - 1, false);
	if (!below || below->end != start) {
		const struct region model = {
			.start = start, .end = end, .protection = PROT_READ | PROT_WRITE};
		mappings_add(&model);
		return;
	}
	mappings_remove(start, end);
	below->end = end;
	trace_region(below);
	if (region_armed(below))
		guard_apply(below, start, end);
}

void mappings_remove(uintptr_t start, uintptr_t end)
{
	struct region *region = region_find(start, true);
	if (!region || region->start >= end)
		return;
	region_remove(start, end);
	guard_forget(start, end);
}

static void set_protection(struct region *region, int protection)
{
	struct region before = *region;
	region->protection = (uint8_t)(protection & (PROT_READ | PROT_WRITE | PROT_EXEC));
	region_armed_changed(&before, region);
	trace_mapping_protect(region->start, region->end, region->protection);
	if (!region_armed(region))
		return;
	if (!(before.protection & PROT_WRITE) && holds_nothing(region->start))
		make_whole(region);
	guard_apply(region, region->start, region->end);
}

void mappings_protected(uintptr_t start, uintptr_t end, int protection)
{
	if (region_split(start) || region_split(end))
		return;
	struct region *region = region_find(start, true);
	while (region && region->start < end) {
		uintptr_t next = region->end;
		set_protection(region, protection);
		region = region_find(next, true);
	}
}

void mappings_dropped(uintptr_t start, uintptr_t end, bool at_once)
{
	struct region *region = region_find(start, true);
	for (; region && region->start < end; region = region_find(region->end, true)) {
		uintptr_t from = region->start > start ? region->start : start;
		uintptr_t to = region->end < end ? region->end : end;
		region->shared_since_fork |= !at_once;
		trace_given_back(from, to, process_epoch, !at_once);
		guard_close(region, from, to, at_once);
	}
}

static void recheck_run(uintptr_t start, uintptr_t end)
{
	for (uintptr_t page = start; page < end; page += PAGE_SIZE) {
		page_flags_t flags;
		if (!truth_page(page, &flags) && !flags)
			guard_forget(page, page + PAGE_SIZE);
	}
}

void mappings_recheck(uintptr_t start, uintptr_t end)
{
	struct region *region = region_find(start, true);
	for (; region && region->start < end; region = region_find(region->end, true)) {
		uintptr_t from = region->start > start ? region->start : start;
		uintptr_t to = region->end < end ? region->end : end;
		uintptr_t run, run_end, at = from;
		for (; pages_next_open(at, to, &run, &run_end); at = run_end)
			recheck_run(run, run_end);
		if (at > from && region_armed(region))
			guard_apply(region, from, to);
	}
}

void mappings_advised(uintptr_t start, uintptr_t end, unsigned set, unsigned clear)
{
	if (region_split(start) || region_split(end))
		return;
	struct region *region = region_find(start, true);
	for (; region && region->start < end; region = region_find(region->end, true))
		region->advice = (uint16_t)((region->advice & ~clear) | set);
}

void mappings_advised_once(uintptr_t start, uintptr_t end, unsigned set)
{
	struct region *region = region_find(start, true);
	for (; region && region->start < end; region = region_find(region->end, true))
		region->advice |= (uint16_t)set;
}

/* --- mremap --- */

struct move {
	uintptr_t from, from_length, to_length, to;
	uintptr_t done; /* bytes moved so far, piece by piece */
	long keep;      /* MREMAP_DONTUNMAP, or 0 */
	int error;
};

/* Let the kernel find the old range in as few VMAs as the program made. */
static void unite(uintptr_t start, uintptr_t end)
{
	struct region *region = region_find(start, true);
	for (; region && region->start < end; region = region_find(region->end, true)) {
		if (!region_armed(region))
			continue;
		uintptr_t from = region->start > start ? region->start : start;
		uintptr_t to = region->end < end ? region->end : end;
		guard_take_back(from, to, true);
		sys_call3(SYS_mprotect, from, to - from, region->protection);
	}
}

static int move_piece(const struct maps_line *line, void *context)
{
	struct move *move = context;
	uintptr_t end = move->from + move->from_length;
	if (line->end <= move->from)
		return 0;
	if (line->start >= end)
		return 1;
	uintptr_t start = line->start > move->from ? line->start : move->from;
	uintptr_t stop = line->end < end ? line->end : end;
	uintptr_t length = stop - start;
	uintptr_t grown = stop == end ? length + move->to_length - move->from_length : length;
	long result = sys_call5(SYS_mremap, start, length, grown,
				MREMAP_MAYMOVE | MREMAP_FIXED | move->keep,
				move->to + (start - move->from));
	move->error = sys_failed(result) ? (int)result : 0;
	if (!move->error)
		move->done = stop - move->from;
	return move->error;
}

/*
 * The pieces cannot be merged: move them one by one to where the kernel would have moved the whole.
 * Nothing is copied, and the program sees what one mremap does.
 */
static long move_pieces(const long args[6])
{
	struct move move = {.from = (uintptr_t)args[0],
			    .from_length = page_ceil((uintptr_t)args[1]),
			    .to_length = page_ceil((uintptr_t)args[2]),
			    .keep = args[3] & MREMAP_DONTUNMAP};
	bool fixed = args[3] & MREMAP_FIXED;
	if (!(args[3] & MREMAP_MAYMOVE) || move.to_length < move.from_length)
		return -EFAULT;
	long target = sys_call6(
		SYS_mmap, fixed ? args[4] : 0, move.to_length, PROT_NONE,
		MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE | (fixed ? MAP_FIXED : 0), -1, 0);
	if (sys_failed(target))
		return target;
	move.to = (uintptr_t)target;
	maps_walk_self(move_piece, &move);
	if (!move.error && move.done == move.from_length)
		return target;
	if (move.done)
		sys_call5(SYS_mremap, move.to, move.done, move.done, MREMAP_MAYMOVE | MREMAP_FIXED,
			  move.from);
	sys_call2(SYS_munmap, move.to, move.to_length);
	return move.error ? move.error : -EFAULT;
}

/* Growing in place needs only the last piece. */
static long grow_in_place(const long args[6])
{
	uintptr_t start = (uintptr_t)args[0], end = start + page_ceil((uintptr_t)args[1]);
	uintptr_t more = page_ceil((uintptr_t)args[2]) - (end - start);
	uintptr_t run, run_end, last = end - PAGE_SIZE;
	for (uintptr_t at = start; pages_next_open(at, end, &run, &run_end); at = run_end)
		last = run_end < end ? run_end : run;
	if (last >= end)
		last = end - PAGE_SIZE;
	long result = sys_call5(SYS_mremap, last, end - last, end - last + more, 0, 0);
	return sys_failed(result) ? result : (long)start;
}

/* What the program made of [start, start + length) is in one piece: only we have cut it. */
static bool is_one_mapping(uintptr_t start, uintptr_t length)
{
	uintptr_t end = start + page_ceil(length);
	const struct region *first = region_find(start, false), *region = first;
	while (region && region->end < end) {
		const struct region *next = region_find(region->end, false);
		if (!next || next->protection != first->protection || next->file != first->file)
			return false;
		region = next;
	}
	return region;
}

static long remap(const long args[6])
{
	long result = sys_call5(SYS_mremap, args[0], args[1], args[2], args[3], args[4]);
	if (result != -EFAULT || !is_one_mapping((uintptr_t)args[0], (uintptr_t)args[1]))
		return result;
	if (!(args[3] & MREMAP_FIXED) && (uintptr_t)args[2] > (uintptr_t)args[1]) {
		long grown = grow_in_place(args);
		if (!sys_failed(grown))
			return grown;
	}
	return move_pieces(args);
}

/* Re-apply our protection where the old range still is. */
static void close_again(uintptr_t start, uintptr_t end)
{
	struct region *region = region_find(start, true);
	for (; region && region->start < end; region = region_find(region->end, true))
		if (region_armed(region))
			guard_apply(region, region->start > start ? region->start : start,
				    region->end < end ? region->end : end);
}

/* Copies of the regions in the old range, to be inserted at the new one. */
#define MOVED_MOST 32
struct moved {
	struct region regions[MOVED_MOST];
	unsigned count;
};

static void collect(struct moved *moved, uintptr_t start, uintptr_t end)
{
	struct region *region = region_find(start, true);
	for (; region && region->start < end && moved->count < MOVED_MOST;
	     region = region_find(region->end, true)) {
		struct region *copy = &moved->regions[moved->count++];
		*copy = *region;
		copy->start = region->start > start ? region->start : start;
		copy->end = region->end < end ? region->end : end;
	}
}

static void move_regions(const struct moved *moved, uintptr_t from, uintptr_t from_end,
			 uintptr_t to, uintptr_t to_length, bool keep_old)
{
	uintptr_t kept = from_end - from < to_length ? from_end - from : to_length;
	mappings_remove(to, to + to_length);
	pages_move(from, to, kept);
	if (!keep_old)
		mappings_remove(from, from_end);
	for (unsigned i = 0; i < moved->count; i++) {
		struct region model = moved->regions[i];
		model.start += to - from;
		model.end += to - from;
		if (model.start >= to + to_length)
			break;
		if (model.end > to + to_length || i + 1 == moved->count)
			model.end = to + to_length;
		struct region *region = region_insert(&model);
		if (region && region_armed(region))
			guard_apply(region, region->start, region->end);
	}
}

static void resize_in_place(const struct moved *moved, uintptr_t start, uintptr_t old_end,
			    uintptr_t new_end)
{
	if (new_end < old_end) {
		mappings_remove(new_end, old_end);
		close_again(start, new_end);
		return;
	}
	struct region last = moved->regions[moved->count - 1];
	if (last.end == old_end && new_end > old_end) {
		mappings_remove(old_end, new_end);
		region_remove(last.start, last.end);
		last.end = new_end;
		region_insert(&last);
	}
	close_again(start, new_end);
}

long mappings_move(const long args[6])
{
	uintptr_t from = (uintptr_t)args[0];
	uintptr_t from_end = from + page_ceil((uintptr_t)args[1]);
	uintptr_t to_length = page_ceil((uintptr_t)args[2]);
	struct moved moved = {.count = 0};
	collect(&moved, from, from_end);
	if (!moved.count) {
		long result = sys_call5(SYS_mremap, args[0], args[1], args[2], args[3], args[4]);
		if (!sys_failed(result) && result != args[0])
			mappings_remove((uintptr_t)result, (uintptr_t)result + to_length);
		return result;
	}
	unite(from, from_end);
	long result = remap(args);
	if (sys_failed(result)) {
		close_again(from, from_end);
	} else if ((uintptr_t)result == from) {
		resize_in_place(&moved, from, from_end, from + to_length);
	} else {
		bool keep_old = args[3] & MREMAP_DONTUNMAP;
		move_regions(&moved, from, from_end, (uintptr_t)result, to_length, keep_old);
		if (keep_old)
			close_again(from, from_end);
	}
	return result;
}

/* What cannot be protected stays so, whatever mode is wanted. */
void mappings_give_up_all(enum region_limit why)
{
	if (!limit_for_all || why != REGION_MODE)
		limit_for_all = why;
	guard_give_up_range(0, ~(uintptr_t)0, limit_for_all);
}

void mappings_give_up_none(void)
{
	if (limit_for_all == REGION_MODE)
		limit_for_all = REGION_PROTECTED;
}
