/* The public API: include/cowspy.h. Checks what the program hands in, and speaks errno. */
#include <cowspy.h>
#include <errno.h>
#include <stdbool.h>
#include <string.h>

#include "base/memory.h"
#include "base/sys.h"
#include "interpose/adopt.h"
#include "interpose/calls.h"
#include "interpose/net.h"
#include "interpose/real.h"
#include "record/labels.h"
#include "report/output.h"
#include "report/page_query.h"
#include "track/fault.h"
#include "track/lock.h"
#include "track/mode.h"
#include "track/recording.h"
#include "track/region_names.h"
#include "track/threads.h"

#define PAGES_FEW 256 /* whose bits find room on the stack */

static int finish(int error)
{
	if (!error)
		return 0;
	errno = -error;
	return -1;
}

static bool is_aligned(const void *address)
{
	return !((uintptr_t)address & ~PAGE_MASK);
}

/* ---- questions ---- */

static int copied(uintptr_t start, size_t count, unsigned char *vec)
{
	unsigned char few[PAGES_FEW];
	unsigned char *bits = count <= PAGES_FEW ? few : memory_map(count);
	if (!bits)
		return -EAGAIN;
	int error = page_query_range(start, count, bits);
	if (!error)
		error = sys_copy(vec, bits, count);
	/* mincore fills vec up to the hole, and may fail over that first. */
	else if (error == -ENOMEM && !page_query_range(start, 1, bits) && sys_copy(vec, bits, 1))
		error = -EFAULT;
	if (bits != few)
		memory_unmap(bits, count);
	return error;
}

EXPORT int cowspy_1_copied(const void *address, size_t length, unsigned char *vec)
{
	uintptr_t start = (uintptr_t)address, end = start + page_ceil(length);
	if (!calls_started)
		return finish(-ENOSYS);
	if (!is_aligned(address))
		return finish(-EINVAL);
	if (!length)
		return 0;
	if (end <= start)
		return finish(-ENOMEM);
	return finish(copied(start, (end - start) >> PAGE_SHIFT, vec));
}

EXPORT int cowspy_1_query(const void *address, struct cowspy_page *page, size_t size)
{
	struct cowspy_page answer;
	if (!calls_started)
		return finish(-ENOSYS);
	int error = page_query_one((uintptr_t)address, &answer);
	if (!error)
		error = sys_copy(page, &answer, size < sizeof(answer) ? size : sizeof(answer));
	return finish(error);
}

/* ---- the record ---- */

EXPORT int cowspy_1_label(const char *label)
{
	sigmask_t mask;
	if (!calls_started)
		return 0;
	sys_sigmask_block(&mask);
	int error = labels_add(label, strlen(label), process_epoch);
	sys_sigmask_restore(&mask);
	return finish(error);
}

static long report(void *unused)
{
	(void)unused;
	output_report(REPORT_SNAPSHOT);
	return 0;
}

/* The program's stack may be a small one: reports are written on one of ours. */
EXPORT int cowspy_1_snapshot(const char *label)
{
	struct thread *self = calls_started ? thread_meet() : NULL;
	sigmask_t mask;
	int error = label ? cowspy_1_label(label) : 0;
	if (!calls_started)
		return 0;
	sys_sigmask_block(&mask);
	if (self && self->work_stack_top)
		sys_saving_vectors(self->work_stack_top, report, NULL);
	else
		report(NULL);
	sys_sigmask_restore(&mask);
	return error;
}

EXPORT int cowspy_1_pause(void)
{
	recording_pause();
	return 0;
}

EXPORT int cowspy_1_resume(void)
{
	return finish(recording_resume());
}

EXPORT int cowspy_1_mode(int mode)
{
	if (!calls_started)
		return 0;
	if (mode != COWSPY_MODE_TRUTH && mode != COWSPY_MODE_EXACT)
		return finish(-EINVAL);
	return finish(mode_set(mode == COWSPY_MODE_EXACT));
}

/* ---- what is tracked, and what it is called ---- */

/* Change the registry for [address, address + length). */
static int with_range(const void *address, size_t length, const char *name,
		      int (*change)(uintptr_t start, uintptr_t end, const char *name))
{
	uintptr_t start = (uintptr_t)address, end = start + page_ceil(length);
	sigmask_t mask;
	if (!calls_started)
		return 0;
	if (!is_aligned(address))
		return finish(-EINVAL);
	if (end <= start)
		return length ? finish(-ENOMEM) : 0;
	lock_write_masked(&mask);
	int error = change(start, end, name);
	lock_write_end_masked(&mask);
	return finish(error);
}

static int set_name(uintptr_t start, uintptr_t end, const char *name)
{
	return region_names_set(start, end, name, name ? strlen(name) : 0);
}

static int track(uintptr_t start, uintptr_t end, const char *name)
{
	int error = adopt_requested(start, end);
	int name_error = name ? set_name(start, end, name) : 0;
	return error ? error : name_error;
}

static int untrack(uintptr_t start, uintptr_t end, const char *name)
{
	(void)name;
	return adopt_left_out(start, end, REGION_USER);
}

EXPORT int cowspy_1_track(const void *address, size_t length, const char *name)
{
	if (calls_started)
		net_keep();
	return with_range(address, length, name, track);
}

EXPORT int cowspy_1_untrack(const void *address, size_t length)
{
	return with_range(address, length, NULL, untrack);
}

EXPORT int cowspy_1_name(const void *address, size_t length, const char *name)
{
	return with_range(address, length, name, set_name);
}
