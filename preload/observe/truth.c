#include "truth.h"

#include <errno.h>
#include <fcntl.h>
#include <stdatomic.h>

#include "base/sys.h"

/* Out of the way of programs that expect the lowest numbers; lower where limits are lower. */
static const int wanted[] = {1000, 200, 50, 10};

/* Not /proc/self: that is empty once the main thread has ended and others go on. */
#define PAGEMAP_PATH "/proc/thread-self/pagemap"

static struct pagemap pagemaps[2]; /* the one in use, and the one being opened */
static _Atomic(struct pagemap *) current;
static _Atomic int opening;

static int move_up(int fd)
{
	for (unsigned i = 0; i < sizeof(wanted) / sizeof(wanted[0]); i++) {
		long high = sys_call3(SYS_fcntl, fd, F_DUPFD_CLOEXEC, wanted[i]);
		if (high >= 0) {
			sys_call1(SYS_close, fd);
			return (int)high;
		}
	}
	return fd;
}

static const struct pagemap *open_again(const struct pagemap *broken)
{
	while (atomic_exchange(&opening, 1))
		sys_call0(SYS_sched_yield);
	struct pagemap *now = atomic_load(&current);
	if (now == broken) {
		struct pagemap *spare = &pagemaps[now == &pagemaps[0]];
		if (pagemap_open(spare, PAGEMAP_PATH) == 0) {
			spare->fd = move_up(spare->fd);
			now = spare;
		} else {
			now = NULL;
		}
		atomic_store(&current, now);
	}
	atomic_store(&opening, 0);
	return now;
}

static const struct pagemap *opened(void)
{
	const struct pagemap *pagemap = atomic_load(&current);
	return pagemap ? pagemap : open_again(NULL);
}

/* Errors that say that the descriptor is not ours any more. */
static bool replaced(int error)
{
	return error == -EBADF || error == -ENOTTY;
}

static int page(uintptr_t address, unsigned want, page_flags_t *flags)
{
	const struct pagemap *pagemap = opened();
	if (!pagemap)
		return -ENOENT;
	int error = pagemap_page(pagemap, address, want, flags);
	if (replaced(error) && (pagemap = open_again(pagemap)))
		error = pagemap_page(pagemap, address, want, flags);
	return error;
}

int truth_page(uintptr_t address, page_flags_t *flags)
{
	return page(address, PAGEMAP_WANT_ZERO | PAGEMAP_WANT_EXCLUSIVE, flags);
}

int truth_page_entry(uintptr_t address, page_flags_t *flags)
{
	return page(address, PAGEMAP_WANT_EXCLUSIVE, flags);
}

int truth_runs(uintptr_t start, uintptr_t end, pagemap_run_fn fn, void *context)
{
	const struct pagemap *pagemap = opened();
	if (!pagemap)
		return -ENOENT;
	int error = pagemap_runs(pagemap, start, end, true, fn, context);
	if (replaced(error) && (pagemap = open_again(pagemap)))
		error = pagemap_runs(pagemap, start, end, true, fn, context);
	return error;
}

int truth_descriptor(void)
{
	const struct pagemap *pagemap = atomic_load(&current);
	return pagemap ? pagemap->fd : -1;
}

void truth_child(void)
{
	struct pagemap *old = atomic_exchange(&current, NULL);
	if (old)
		pagemap_close(old);
	atomic_store(&opening, 0);
}
