#include <errno.h>
#include <linux/mman.h>
#include <stdatomic.h>
#include <sys/mman.h>
#include <sys/shm.h>
#include <sys/vfs.h>

#include "base/memory.h"
#include "calls.h"
#include "net.h"
#include "observe/locks.h"
#include "observe/stacks.h"
#include "record/trace.h"
#include "scope.h"
#include "track/guard.h"
#include "track/kernel_writes.h"
#include "track/lock.h"
#include "track/mappings.h"
#include "track/pages.h"
#include "track/rings.h"

#define HUGETLBFS_MAGIC 0x958458f6

static _Atomic bool locks_future; /* mlockall(MCL_FUTURE) is in force */

static bool is_private(int flags)
{
	return (flags & 0xf) == MAP_PRIVATE;
}

static bool is_hugetlb(int flags, int fd)
{
	struct statfs status;
	if (flags & MAP_ANONYMOUS)
		return flags & MAP_HUGETLB;
	return sys_call2(SYS_fstatfs, fd, &status) == 0 &&
	       (unsigned long)status.f_type == HUGETLBFS_MAGIC;
}

/*
 * Stacks are known but never protected: the kernel writes signal frames, thread blocks and rseq
 * areas there.
 */
static bool is_stack(int flags)
{
	return flags & (MAP_STACK | MAP_GROWSDOWN);
}

static enum region_limit limit_of(int flags, int fd)
{
	if (is_stack(flags))
		return REGION_STACK;
	return is_hugetlb(flags, fd) ? REGION_HUGETLB : REGION_PROTECTED;
}

static bool tracked(int flags, uintptr_t caller)
{
	return is_private(flags) && (scope_tracks(caller) || is_stack(flags));
}

/* Write lock: the kernel has filled [start, end) already, unless it fills it on demand. */
static void filled(long nr, uint32_t stack, uintptr_t start, uintptr_t end, enum write_cause cause)
{
	struct region *region = region_find(start, true);
	for (; region && region->start < end; region = region_find(region->end, true))
		if (region_armed(region))
			kernel_writes_populated(nr, stack, region,
						region->start > start ? region->start : start,
						region->end < end ? region->end : end, cause);
}

static void track_new(const long args[6], uintptr_t start)
{
	int flags = (int)args[3];
	const struct region model = {
		.start = start,
		.end = start + page_ceil((uintptr_t)args[1]),
		.protection = (uint8_t)(args[2] & (PROT_READ | PROT_WRITE | PROT_EXEC)),
		.limit = limit_of(flags, (int)args[4]),
		.file = !(flags & MAP_ANONYMOUS),
	};
	mappings_add(&model);
	if (model.file)
		trace_mapping_file(model.start, model.end, (int)args[4], (uint64_t)args[5]);
}

/* The stack is captured before any lock is taken. */
long memory_mmap(long nr, const long args[6], uintptr_t caller)
{
	int flags = (int)args[3];
	bool track = tracked(flags, caller);
	bool locked = (flags & MAP_LOCKED) || atomic_load(&locks_future);
	bool fills = track && (args[2] & PROT_WRITE) && (locked || (flags & MAP_POPULATE));
	uint32_t stack = fills ? kernel_writes_stack(caller) : 0;
	sigmask_t mask;
	(void)nr;
	if (track)
		net_keep();
	lock_write_masked(&mask);
	long result = call_plain(SYS_mmap, args);
	if (!sys_failed(result)) {
		uintptr_t start = (uintptr_t)result, end = start + page_ceil((uintptr_t)args[1]);
		pages_forget(start, end);
		if (track)
			track_new(args, start);
		else
			mappings_remove(start, end);
		if (!is_private(flags) && !(flags & MAP_ANONYMOUS))
			rings_mapped((int)args[4], (uint64_t)args[5], start);
		if (fills)
			filled(SYS_mmap, stack, start, end, locked ? CAUSE_LOCK : CAUSE_POPULATE);
	}
	lock_write_end_masked(&mask);
	if (!sys_failed(result) && (args[2] & PROT_EXEC) && !(flags & MAP_ANONYMOUS)) {
		stacks_code_changed();
		trace_modules();
	}
	return result;
}

static bool touches_regions(uintptr_t start, uintptr_t length)
{
	return region_any(start, start + page_ceil(length));
}

/*
 * Memory that we do not track needs no lock: as long as it is mapped no other mapping can take its
 * place in the registry.
 */
long memory_munmap(long nr, const long args[6], uintptr_t caller)
{
	sigmask_t mask;
	(void)caller;
	memory_forget((uintptr_t)args[0], (uintptr_t)args[0] + page_ceil((uintptr_t)args[1]));
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

/* A locked mapping grows locked and filled. */
long memory_mremap(long nr, const long args[6], uintptr_t caller)
{
	uintptr_t from = (uintptr_t)args[0], old_length = page_ceil((uintptr_t)args[1]);
	uintptr_t new_length = page_ceil((uintptr_t)args[2]);
	bool fills = new_length > old_length && locks_any(from, from + old_length);
	uint32_t stack = fills ? kernel_writes_stack(caller) : 0;
	sigmask_t mask;
	lock_write_masked(&mask);
	long result = mappings_move(args);
	if (fills && !sys_failed(result))
		filled(nr, stack, (uintptr_t)result + old_length, (uintptr_t)result + new_length,
		       CAUSE_LOCK);
	lock_write_end_masked(&mask);
	return result;
}

/* Locked memory that becomes writable is copied at once. */
static bool makes_locked_writable(uintptr_t start, uintptr_t end, int protection)
{
	struct region region;
	for (; protection & PROT_WRITE && region_copy_next(start, &region) && region.start < end;
	     start = region.end)
		if (!(region.protection & PROT_WRITE))
			return locks_any(start > region.start ? start : region.start,
					 region.end < end ? region.end : end);
	return false;
}

/*
 * The kernel first does what the program asked for, so that its result and errno are right; then
 * closed pages are protected again.
 */
/*
 * Memory that is and stays writable never becomes so for closed pages, not even for a moment: other
 * threads may write it all the time. The kernel accepts or refuses both protections alike.
 */
static long protect(long nr, const long args[6], uintptr_t end)
{
	const long all = PROT_READ | PROT_WRITE | PROT_EXEC;
	const long closed[6] = {args[0], args[1], (args[2] & ~PROT_WRITE) | PROT_READ, args[3]};
	if (!(args[2] & PROT_WRITE) || args[2] & ~all ||
	    !mappings_all_armed((uintptr_t)args[0], end))
		return call_plain(nr, args);
	return call_plain(nr, closed);
}

long memory_mprotect(long nr, const long args[6], uintptr_t caller)
{
	uintptr_t start = (uintptr_t)args[0], end = start + page_ceil((uintptr_t)args[1]);
	int protection = (int)args[2];
	sigmask_t mask;
	if (!touches_regions(start, (uintptr_t)args[1]))
		return call_plain(nr, args);
	bool fills = makes_locked_writable(start, end, protection);
	uint32_t stack = fills ? kernel_writes_stack(caller) : 0;
	lock_write_masked(&mask);
	long result = protect(nr, args, end);
	if (!sys_failed(result))
		mappings_protected(start, end, protection);
	else if (start < end)
		mappings_protect_failed(start, end, protection);
	if (fills && !sys_failed(result))
		filled(nr, stack, start, end, CAUSE_LOCK);
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

long memory_munlockall(long nr, const long args[6], uintptr_t caller)
{
	long result = call_plain(nr, args);
	(void)caller;
	if (!result)
		atomic_store(&locks_future, false);
	return result;
}

/* The kernel will refuse every mprotect there. */
long memory_seal(long nr, const long args[6], uintptr_t caller)
{
	uintptr_t start = page_floor((uintptr_t)args[0]);
	sigmask_t mask;
	(void)caller;
	lock_write_masked(&mask);
	guard_exempt(start, page_ceil((uintptr_t)args[0] + (uintptr_t)args[1]), REGION_NO_VMA);
	long result = call_plain(nr, args);
	lock_write_end_masked(&mask);
	return result;
}

void memory_forbid_executable(void)
{
	struct region *region;
	sigmask_t mask;
	lock_write_masked(&mask);
	for (region = region_find(0, true); region; region = region_find(region->end, true))
		if (region_armed(region) && region->protection & PROT_EXEC)
			guard_give_up(region, REGION_NO_VMA);
	lock_write_end_masked(&mask);
}

void memory_is_stack(uintptr_t start, uintptr_t length)
{
	sigmask_t mask;
	if (!touches_regions(page_floor(start), length + PAGE_SIZE))
		return;
	lock_write_masked(&mask);
	guard_exempt(page_floor(start), page_ceil(start + length), REGION_STACK);
	lock_write_end_masked(&mask);
}

/* The heap grows and shrinks at its end; it is tracked once it was adopted. */
long memory_brk(long nr, const long args[6], uintptr_t caller)
{
	bool fills = atomic_load(&locks_future);
	uint32_t stack = fills ? kernel_writes_stack(caller) : 0;
	sigmask_t mask;
	lock_write_masked(&mask);
	uintptr_t before = page_ceil((uintptr_t)sys_call1(SYS_brk, 0));
	long result = call_plain(nr, args);
	uintptr_t after = page_ceil((uintptr_t)result);
	if (after < before)
		mappings_remove(after, before);
	else if (after > before && scope_is_all())
		mappings_extend(before, after);
	if (fills && after > before)
		filled(nr, stack, before, after, CAUSE_LOCK);
	lock_write_end_masked(&mask);
	return result;
}
