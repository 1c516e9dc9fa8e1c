#include <errno.h>
#include <linux/mman.h>
#include <stdatomic.h>
#include <sys/mman.h>
#include <sys/shm.h>

#include "calls.h"
#include "net.h"
#include "scope.h"
#include "track/guard.h"
#include "track/kernel_writes.h"
#include "track/lock.h"
#include "track/mappings.h"
#include "track/pages.h"

/* Newer than the oldest headers that we build with. */
#ifndef MADV_POPULATE_WRITE
#define MADV_POPULATE_WRITE 23
#endif
#ifndef MADV_DONTNEED_LOCKED
#define MADV_DONTNEED_LOCKED 24
#endif
#ifndef MADV_GUARD_INSTALL
#define MADV_GUARD_INSTALL 102
#endif

static _Atomic bool locks_future; /* mlockall(MCL_FUTURE) is in force */

static bool is_private(int flags)
{
	return (flags & 0xf) == MAP_PRIVATE;
}

/*
 * Stacks are known but never protected: the kernel writes signal frames, thread blocks and rseq
 * areas there.
 */
static enum region_limit limit_of(int flags)
{
	if (flags & (MAP_STACK | MAP_GROWSDOWN))
		return REGION_STACK;
	return flags & MAP_HUGETLB ? REGION_HUGETLB : REGION_PROTECTED;
}

static bool tracked(int flags, uintptr_t caller)
{
	return is_private(flags) && (scope_tracks(caller) || limit_of(flags) == REGION_STACK);
}

static void track_new(const long args[6], uintptr_t start, uintptr_t caller)
{
	int flags = (int)args[3];
	const struct region model = {
		.start = start,
		.end = start + page_ceil((uintptr_t)args[1]),
		.protection = (uint8_t)(args[2] & (PROT_READ | PROT_WRITE | PROT_EXEC)),
		.limit = limit_of(flags),
		.file = !(flags & MAP_ANONYMOUS),
	};
	bool locked = (flags & MAP_LOCKED) || atomic_load(&locks_future);
	if (!locked && !(flags & MAP_POPULATE)) {
		mappings_add(&model);
		return;
	}
	/* The kernel has put the pages in place already. */
	mappings_remove(model.start, model.end);
	struct region *region = region_insert(&model);
	if (!region || !region_armed(region))
		return;
	kernel_writes_populated(SYS_mmap, caller, region, locked ? CAUSE_LOCK : CAUSE_POPULATE);
	guard_apply(region, region->start, region->end);
}

long memory_mmap(long nr, const long args[6], uintptr_t caller)
{
	int flags = (int)args[3];
	bool track = tracked(flags, caller);
	sigmask_t mask;
	(void)nr;
	if (track)
		net_keep();
	lock_write_masked(&mask);
	long result = call_plain(SYS_mmap, args);
	if (!sys_failed(result)) {
		uintptr_t start = (uintptr_t)result;
		if (track)
			track_new(args, start, caller);
		else
			mappings_remove(start, start + page_ceil((uintptr_t)args[1]));
	}
	lock_write_end_masked(&mask);
	return result;
}

static bool touches_regions(uintptr_t start, uintptr_t length)
{
	struct region region;
	return region_copy_next(start, &region) && region.start < start + page_ceil(length);
}

/*
 * Memory that we do not track needs no lock: as long as it is mapped no other mapping can take its
 * place in the registry.
 */
long memory_munmap(long nr, const long args[6], uintptr_t caller)
{
	sigmask_t mask;
	(void)caller;
	if (!touches_regions((uintptr_t)args[0], (uintptr_t)args[1]))
		return call_plain(nr, args);
	lock_write_masked(&mask);
	long result = call_plain(nr, args);
	if (!sys_failed(result))
		mappings_remove((uintptr_t)args[0],
				(uintptr_t)args[0] + page_ceil((uintptr_t)args[1]));
	lock_write_end_masked(&mask);
	return result;
}

long memory_mremap(long nr, const long args[6], uintptr_t caller)
{
	sigmask_t mask;
	(void)nr;
	(void)caller;
	lock_write_masked(&mask);
	long result = mappings_move(args);
	lock_write_end_masked(&mask);
	return result;
}

/*
 * The kernel first does what the program asked for, so that its result and errno are right; then
 * closed pages are protected again.
 */
long memory_mprotect(long nr, const long args[6], uintptr_t caller)
{
	uintptr_t start = (uintptr_t)args[0];
	sigmask_t mask;
	(void)caller;
	if (!touches_regions(start, (uintptr_t)args[1]))
		return call_plain(nr, args);
	lock_write_masked(&mask);
	long result = call_plain(nr, args);
	if (!sys_failed(result))
		mappings_protected(start, start + page_ceil((uintptr_t)args[1]), (int)args[2]);
	lock_write_end_masked(&mask);
	return result;
}

static bool drops_at_once(int advice)
{
	return advice == MADV_DONTNEED || advice == MADV_DONTNEED_LOCKED ||
	       advice == MADV_GUARD_INSTALL || advice == MADV_REMOVE;
}

long memory_madvise(long nr, const long args[6], uintptr_t caller)
{
	uintptr_t start = (uintptr_t)args[0], length = (uintptr_t)args[1];
	int advice = (int)args[2];
	sigmask_t mask;
	if (advice == MADV_POPULATE_WRITE)
		return kernel_writes_range(nr, args, caller, start, page_ceil(length),
					   CAUSE_POPULATE);
	if ((!drops_at_once(advice) && advice != MADV_FREE) || !touches_regions(start, length))
		return call_plain(nr, args);
	lock_write_masked(&mask);
	long result = call_plain(nr, args);
	if (!result)
		mappings_dropped(start, start + page_ceil(length), advice != MADV_FREE);
	lock_write_end_masked(&mask);
	return result;
}

/* shmat maps shared memory, with SHM_REMAP over what was there. */
long memory_shmat(long nr, const long args[6], uintptr_t caller)
{
	struct shmid_ds status;
	sigmask_t mask;
	(void)caller;
	if (sys_call3(SYS_shmctl, args[0], IPC_STAT, &status) < 0)
		status.shm_segsz = PAGE_SIZE;
	lock_write_masked(&mask);
	long result = call_plain(nr, args);
	if (!sys_failed(result))
		mappings_remove((uintptr_t)result, (uintptr_t)result + page_ceil(status.shm_segsz));
	lock_write_end_masked(&mask);
	return result;
}

long memory_mlock(long nr, const long args[6], uintptr_t caller)
{
	uintptr_t start = page_floor((uintptr_t)args[0]);
	uintptr_t end = page_ceil((uintptr_t)args[0] + (uintptr_t)args[1]);
	if (nr == SYS_mlock2 && args[2] & MLOCK_ONFAULT)
		return call_plain(nr, args);
	return kernel_writes_range(nr, args, caller, start, end - start, CAUSE_LOCK);
}

long memory_mlockall(long nr, const long args[6], uintptr_t caller)
{
	long flags = args[0];
	long result = (flags & MCL_CURRENT) && !(flags & MCL_ONFAULT)
			      ? kernel_writes_range(nr, args, caller, 0, ~PAGE_SIZE, CAUSE_LOCK)
			      : call_plain(nr, args);
	if (!result)
		atomic_store(&locks_future, (flags & MCL_FUTURE) && !(flags & MCL_ONFAULT));
	return result;
}

/* From now on the kernel may write anywhere at any time, unannounced. */
long memory_asynchronous(long nr, const long args[6], uintptr_t caller)
{
	sigmask_t mask;
	lock_write_masked(&mask);
	mappings_give_up_all(REGION_ASYNCHRONOUS);
	lock_write_end_masked(&mask);
	return kernel_writes_call(nr, args, caller);
}

void memory_is_stack(uintptr_t start, uintptr_t length)
{
	sigmask_t mask;
	if (!touches_regions(page_floor(start), length + PAGE_SIZE))
		return;
	lock_write_masked(&mask);
	guard_give_up_range(page_floor(start), page_ceil(start + length), REGION_STACK);
	lock_write_end_masked(&mask);
}

/* The heap grows and shrinks at its end; it is tracked once it was adopted. */
long memory_brk(long nr, const long args[6], uintptr_t caller)
{
	sigmask_t mask;
	(void)caller;
	lock_write_masked(&mask);
	uintptr_t before = page_ceil((uintptr_t)sys_call1(SYS_brk, 0));
	long result = call_plain(nr, args);
	uintptr_t after = page_ceil((uintptr_t)result);
	if (after < before)
		mappings_remove(after, before);
	else if (after > before && scope_is_all())
		mappings_extend(before, after);
	lock_write_end_masked(&mask);
	return result;
}
