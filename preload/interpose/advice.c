/* madvise, process_madvise: what the program tells the kernel about its memory. */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/mman.h>
#include <stdbool.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/uio.h>

#include "base/text.h"
#include "calls.h"
#include "track/fault.h"
#include "track/guard.h"
#include "track/kernel_writes.h"
#include "track/lock.h"
#include "track/mappings.h"

/* Newer than the oldest headers that we build with. */
#ifndef MADV_POPULATE_WRITE
#define MADV_POPULATE_WRITE 23
#endif
#ifndef MADV_DONTNEED_LOCKED
#define MADV_DONTNEED_LOCKED 24
#endif
#ifndef MADV_COLLAPSE
#define MADV_COLLAPSE 25
#endif
#ifndef MADV_GUARD_INSTALL
#define MADV_GUARD_INSTALL 102
#define MADV_GUARD_REMOVE 103
#endif
#ifndef PIDFD_SELF_THREAD
#define PIDFD_SELF_THREAD (-10000)
#define PIDFD_SELF_THREAD_GROUP (-20000)
#endif

static const struct {
	int advice;
	uint16_t set, clear;
} lasting[] = {
	{MADV_NORMAL, 0, ADVICE_RANDOM | ADVICE_SEQUENTIAL},
	{MADV_RANDOM, ADVICE_RANDOM, ADVICE_SEQUENTIAL},
	{MADV_SEQUENTIAL, ADVICE_SEQUENTIAL, ADVICE_RANDOM},
	{MADV_DONTFORK, ADVICE_DONTFORK, 0},
	{MADV_DOFORK, 0, ADVICE_DONTFORK},
	{MADV_WIPEONFORK, ADVICE_WIPEONFORK, 0},
	{MADV_KEEPONFORK, 0, ADVICE_WIPEONFORK},
	{MADV_MERGEABLE, ADVICE_MERGEABLE, 0},
	{MADV_UNMERGEABLE, 0, ADVICE_MERGEABLE},
	{MADV_HUGEPAGE, ADVICE_HUGEPAGE, ADVICE_NOHUGEPAGE},
	{MADV_NOHUGEPAGE, ADVICE_NOHUGEPAGE, ADVICE_HUGEPAGE},
};

static const struct {
	int advice;
	uint16_t set;
} once[] = {
	{MADV_WILLNEED, ADVICE_WILLNEED}, {MADV_COLD, ADVICE_COLD},
	{MADV_PAGEOUT, ADVICE_PAGEOUT},   {MADV_FREE, ADVICE_FREE},
	{MADV_COLLAPSE, ADVICE_COLLAPSE},
};

/* The kernel fills pages, as a write would. */
static bool fills(int advice)
{
	return advice == MADV_POPULATE_WRITE || advice == MADV_COLLAPSE;
}

static bool drops(int advice)
{
	return advice == MADV_DONTNEED || advice == MADV_DONTNEED_LOCKED || advice == MADV_FREE ||
	       advice == MADV_GUARD_INSTALL || advice == MADV_REMOVE;
}

/* What userfaultfd's marks do not survive, or prevent. */
static bool disturbs_marks(int advice)
{
	return drops(advice) || advice == MADV_COLLAPSE || advice == MADV_GUARD_REMOVE ||
	       advice == MADV_MERGEABLE;
}

/* Write lock: before the kernel acts. */
static void prepare(uintptr_t start, uintptr_t end, int advice, bool closing)
{
	if (disturbs_marks(advice) && !(start & ~PAGE_MASK))
		guard_take_back(start, end, closing);
}

static long fill(long nr, const long args[6], uintptr_t caller, uintptr_t start, uintptr_t end,
		 int advice)
{
	sigmask_t mask;
	lock_write_masked(&mask);
	prepare(start, end, advice, false);
	lock_write_end_masked(&mask);
	return kernel_writes_range(nr, args, caller, start, end - start, CAUSE_POPULATE);
}

static void note(uintptr_t start, uintptr_t end, int advice)
{
	for (unsigned i = 0; i < sizeof(lasting) / sizeof(*lasting); i++)
		if (lasting[i].advice == advice)
			mappings_advised(start, end, lasting[i].set, lasting[i].clear);
	for (unsigned i = 0; i < sizeof(once) / sizeof(*once); i++)
		if (once[i].advice == advice)
			mappings_advised_once(start, end, once[i].set);
}

/*
 * Write lock. ENOMEM says that part of the range is not mapped: the advice holds for the rest.
 * After other errors it may hold for what comes before the place where the kernel stopped.
 */
static void take_effect(uintptr_t start, uintptr_t length, int advice, long result)
{
	uintptr_t end = start + page_ceil(length);
	if (start & ~PAGE_MASK || end <= start)
		return;
	if (drops(advice) && !result)
		mappings_dropped(start, end, advice != MADV_FREE);
	else if (drops(advice) || advice == MADV_GUARD_REMOVE)
		mappings_recheck(start, end);
	if (!result || result == -ENOMEM)
		note(start, end, advice);
}

long advice_madvise(long nr, const long args[6], uintptr_t caller)
{
	uintptr_t start = (uintptr_t)args[0], length = (uintptr_t)args[1];
	int advice = (int)args[2];
	sigmask_t mask;
	if (!region_any(start, start + page_ceil(length)))
		return call_plain(nr, args);
	long result = 0;
	if (fills(advice))
		result = fill(nr, args, caller, start, start + page_ceil(length), advice);
	lock_write_masked(&mask);
	if (!fills(advice)) {
		prepare(start, start + page_ceil(length), advice, drops(advice));
		result = call_plain(nr, args);
	}
	take_effect(start, length, advice, result);
	lock_write_end_masked(&mask);
	return result;
}

/* --- process_madvise --- */

/* The number behind "Pid:" in /proc/self/fdinfo of the descriptor; 0 when it is no pidfd. */
static long pid_of(int pidfd)
{
	char path[64], info[512];
	struct text text;
	text_start(&text, -1, path, sizeof(path));
	text_string(&text, "/proc/self/fdinfo/");
	text_decimal(&text, (uint64_t)pidfd);
	text_character(&text, '\0');
	long fd = sys_call4(SYS_openat, AT_FDCWD, path, O_RDONLY | O_CLOEXEC, 0);
	if (sys_failed(fd))
		return 0;
	long length = sys_call3(SYS_read, fd, info, sizeof(info) - 1);
	sys_call1(SYS_close, fd);
	info[length > 0 ? length : 0] = '\0';
	const char *digits = strstr(info, "\nPid:\t");
	long pid = 0;
	for (digits = digits ? digits + 6 : ""; *digits >= '0' && *digits <= '9'; digits++)
		pid = pid * 10 + (*digits - '0');
	return pid;
}

static bool is_this_process(int pidfd)
{
	return pidfd == PIDFD_SELF_THREAD || pidfd == PIDFD_SELF_THREAD_GROUP ||
	       (pidfd >= 0 && pid_of(pidfd) == process_pid);
}

/* From the lowest to the highest address of all; false when they cannot be read. */
static bool span(const struct iovec *vector, unsigned long count, uintptr_t *start, uintptr_t *end)
{
	struct iovec part;
	*start = ~(uintptr_t)0;
	*end = 0;
	for (unsigned long i = 0; i < count; i++) {
		if (sys_copy(&part, &vector[i], sizeof(part)))
			return false;
		uintptr_t from = (uintptr_t)part.iov_base, to = from + page_ceil(part.iov_len);
		*start = from < *start ? from : *start;
		*end = to > *end ? to : *end;
	}
	return *start < *end;
}

/* Write lock: the kernel took the parts one by one, until it had `done` bytes or failed. */
static void take_effect_on_all(const struct iovec *vector, unsigned long count, int advice,
			       long done)
{
	struct iovec part;
	if (done < 0)
		done = 0;
	for (unsigned long i = 0; i < count && !sys_copy(&part, &vector[i], sizeof(part)); i++) {
		bool complete = part.iov_len <= (size_t)done;
		take_effect((uintptr_t)part.iov_base, part.iov_len, advice, complete ? 0 : -EINVAL);
		if (!complete)
			break;
		done -= (long)part.iov_len;
	}
}

long advice_process_madvise(long nr, const long args[6], uintptr_t caller)
{
	const struct iovec *vector = (const struct iovec *)args[1];
	unsigned long count = (unsigned long)args[2];
	int advice = (int)args[3];
	uintptr_t start, end;
	sigmask_t mask;
	if (args[4] || count > IOV_MAX || !is_this_process((int)args[0]) ||
	    !span(vector, count, &start, &end) || !region_any(start, end))
		return call_plain(nr, args);
	long result = 0;
	if (fills(advice))
		result = fill(nr, args, caller, start, end, advice);
	lock_write_masked(&mask);
	if (!fills(advice)) {
		prepare(start, end, advice, false);
		result = call_plain(nr, args);
	}
	take_effect_on_all(vector, count, advice, result);
	lock_write_end_masked(&mask);
	return result;
}
