#include "budget.h"

#include <fcntl.h>
#include <stdatomic.h>

#include "base/options.h"
#include "base/sys.h"
#include "pages.h"

#define MAP_COUNT_DEFAULT 65530
#define VMAS_PER_RUN 2

/*
 * Anonymous memory is handed over long before the limit: a first write costs less there than one that
 * splits a VMA, and what cannot be handed over keeps its share.
 */
#define EARLY 4

static _Atomic long runs;
static _Atomic long runs_peak;
static long runs_most;

static long map_count_most(void)
{
	char digits[24] = "";
	long fd = sys_call3(SYS_open, "/proc/sys/vm/max_map_count", O_RDONLY | O_CLOEXEC, 0);
	long most = 0;
	if (fd < 0)
		return MAP_COUNT_DEFAULT;
	sys_call3(SYS_read, fd, digits, sizeof(digits) - 1);
	sys_call1(SYS_close, fd);
	for (const char *digit = digits; *digit >= '0' && *digit <= '9'; digit++)
		most = most * 10 + (*digit - '0');
	return most > 0 ? most : MAP_COUNT_DEFAULT;
}

void budget_start(void)
{
	runs_most = map_count_most() / 100 * options.vma_share / VMAS_PER_RUN;
}

/* How opening a run of closed pages changes the number of runs. */
static long runs_added(const struct region *region, uintptr_t start, uintptr_t end)
{
	bool below = start > region->start && pages_is_open(start - PAGE_SIZE) &&
		     !pages_is_handed(start - PAGE_SIZE);
	bool above = end < region->end && pages_is_open(end) && !pages_is_handed(end);
	return 1 - below - above;
}

static long add_runs(long added)
{
	long now = atomic_fetch_add_explicit(&runs, added, memory_order_relaxed) + added;
	long peak = atomic_load_explicit(&runs_peak, memory_order_relaxed);
	while (now > peak && !atomic_compare_exchange_weak(&runs_peak, &peak, now))
		;
	return now;
}

bool budget_opening(const struct region *region, uintptr_t start, uintptr_t end)
{
	long added = runs_added(region, start, end);
	long now = add_runs(added);
	return added <= 0 || now <= (region->file ? runs_most : runs_most / EARLY);
}

bool budget_left(void)
{
	return atomic_load_explicit(&runs, memory_order_relaxed) <= runs_most;
}

static long count(enum pages_wanted which, uintptr_t start, uintptr_t end)
{
	uintptr_t run, run_end;
	long found = 0;
	for (; pages_next(which, start, end, &run, &run_end); start = run_end)
		found++;
	return found;
}

long budget_pieces(uintptr_t start, uintptr_t end)
{
	return count(PAGES_APART, start, end);
}

long budget_runs(uintptr_t start, uintptr_t end)
{
	start -= start ? PAGE_SIZE : 0;
	end += PAGE_SIZE;
	return count(PAGES_APART, start, end) + count(PAGES_HANDED, start, end);
}

void budget_changed(long before, uintptr_t start, uintptr_t end)
{
	add_runs(budget_runs(start, end) - before);
}

void budget_child(void)
{
	atomic_store(&runs_peak, atomic_load(&runs));
}

static uint64_t vmas(const _Atomic long *count)
{
	long now = atomic_load_explicit(count, memory_order_relaxed);
	return now > 0 ? (uint64_t)now * VMAS_PER_RUN : 0;
}

uint64_t budget_vmas(uint64_t *most)
{
	*most = vmas(&runs_peak);
	return vmas(&runs);
}
