#include "staging.h"

#include <dirent.h>
#include <errno.h>
#include <limits.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/mman.h>

#include "base/memory.h"
#include "base/sys.h"
#include "fault.h"
#include "kernel_writes.h"
#include "observe/truth.h"
#include "pages.h"
#include "regions.h"
#include "threads.h"

#define STAGING_MOST ((uintptr_t)256 << 10)
#define BUFFERS 256
#define HEADER_MOST 256

/* Where a call writes: result * unit bytes, at most length, from start on. */
struct stream {
	unsigned argument;
	uintptr_t start;
	uintptr_t length;
	uintptr_t unit;
};

static bool stream_of(long nr, const long args[6], struct stream *stream)
{
	unsigned argument = 1;
	uintptr_t count = (uintptr_t)args[2], unit = 1;
	switch (nr) {
	case SYS_read:
	case SYS_pread64:
	case SYS_recvfrom: break;
	case SYS_getdents64: count = (unsigned)args[2]; break;
	case SYS_epoll_wait:
	case SYS_epoll_pwait:
	case SYS_epoll_pwait2:
		unit = sizeof(struct epoll_event);
		count = (int)args[2] > 0 ? (uintptr_t)(int)args[2] : 0;
		break;
	default: return false;
	}
	if (!count || count > STAGING_MOST / unit)
		return false;
	*stream = (struct stream){argument, (uintptr_t)args[argument], count * unit, unit};
	return stream->start + stream->length > stream->start;
}

/* A closed page lies in it, and all of it can certainly be written. */
static bool wants_staging(const struct stream *stream)
{
	uintptr_t at = stream->start, end = stream->start + stream->length;
	struct region region;
	bool closed = false;
	while (at < end) {
		if (!region_peek(at, &region) || region.file || !(region.protection & PROT_WRITE))
			return false;
		uintptr_t part_end = region.end < end ? region.end : end;
		bool armed = region_armed(&region);
		for (at = page_floor(at); armed && !closed && at < part_end; at += PAGE_SIZE)
			closed = !pages_is_open(at);
		at = part_end;
	}
	return closed;
}

/* --- our buffers --- */

struct buffer {
	_Atomic int owner; /* thread id; 0: free; negative while frame is not set */
	uintptr_t frame;   /* of the call that has it */
	char *memory;
};

static struct buffer buffers[BUFFERS];

/* A signal handler that reads here before the frame is set shall not take the buffer for left over. */
static bool take(struct buffer *buffer, int owner, int tid, uintptr_t frame)
{
	if (!atomic_compare_exchange_strong(&buffer->owner, &owner, -tid))
		return false;
	buffer->frame = frame;
	atomic_store(&buffer->owner, tid);
	return true;
}

static struct buffer *take_free(const struct thread *self, int tid, uintptr_t frame)
{
	for (unsigned i = 0; i < BUFFERS; i++) {
		int owner = atomic_load_explicit(&buffers[i].owner, memory_order_relaxed);
		bool left = owner == tid && thread_frame_left(self, buffers[i].frame, frame);
		if ((!owner || left) && take(&buffers[i], owner, tid, frame))
			return &buffers[i];
	}
	return NULL;
}

/* Threads may be cancelled while they have one. */
static struct buffer *take_abandoned(int tid, uintptr_t frame)
{
	for (unsigned i = 0; i < BUFFERS; i++) {
		int owner = atomic_load(&buffers[i].owner);
		if (sys_call3(SYS_tgkill, process_pid, owner < 0 ? -owner : owner, 0) == -ESRCH &&
		    take(&buffers[i], owner, tid, frame))
			return &buffers[i];
	}
	return NULL;
}

static void buffer_give(struct buffer *buffer)
{
	atomic_store_explicit(&buffer->owner, 0, memory_order_release);
}

static struct buffer *buffer_take(uintptr_t frame)
{
	const struct thread *self = thread_meet();
	int tid = self ? atomic_load(&self->tid) : 0;
	struct buffer *buffer = tid > 0 ? take_free(self, tid, frame) : NULL;
	if (tid > 0 && !buffer)
		buffer = take_abandoned(tid, frame);
	if (!buffer)
		return NULL;
	if (!buffer->memory)
		buffer->memory = memory_map(STAGING_MOST + PAGE_SIZE);
	if (buffer->memory)
		return buffer;
	buffer_give(buffer);
	return NULL;
}

/* --- the call --- */

/* Closed pages that nobody has written hold zeros. */
static bool holds_something(uintptr_t page)
{
	struct region region;
	page_flags_t flags;
	if (pages_is_open(page))
		return true;
	return region_peek(page, &region) && region.shared_since_fork &&
	       !truth_page(page, &flags) && flags && !(flags & PAGE_ZERO);
}

/*
 * A few devices (SCSI generic) look for a header in the buffer that they read into. Memory that
 * nobody has touched holds none, and is not to be touched for that.
 */
static void copy_header(char *to, const struct stream *stream)
{
	uintptr_t size = stream->length < HEADER_MOST ? stream->length : HEADER_MOST;
	uintptr_t last = page_floor(stream->start + size - 1);
	if (holds_something(page_floor(stream->start)) || holds_something(last))
		sys_copy(to, (const void *)stream->start, size);
}

static void keep_bytes(char *to, uintptr_t from, uintptr_t size)
{
	for (; size; size--, to++, from++)
		if (!holds_something(page_floor(from)) || sys_copy(to, (const void *)from, 1))
			*to = 0;
}

/* Between two names the kernel leaves the program's bytes as they are. */
static void keep_gaps(char *entries, uintptr_t start, long length)
{
	const struct dirent64 *entry;
	for (long at = 0; at < length; at += entry->d_reclen) {
		entry = (const void *)(entries + at);
		size_t used = offsetof(struct dirent64, d_name) + strlen(entry->d_name) + 1;
		keep_bytes(entries + at + used, start + (uintptr_t)at + used,
			   entry->d_reclen - used);
	}
}

static long deliver(long nr, uintptr_t caller, const struct stream *stream, const char *from,
		    long result)
{
	uintptr_t length = (uintptr_t)result * stream->unit;
	if (length > stream->length)
		length = stream->length;
	int error = kernel_writes_copy(nr, caller, (void *)stream->start, from, length);
	return error ? error : result;
}

/* The buffer begins at the same offset in its page: direct I/O demands alignment. */
static long call_staged(long nr, const long args[6], uintptr_t caller, const struct stream *stream,
			const struct buffer *buffer)
{
	char *memory = buffer->memory + (stream->start & ~PAGE_MASK);
	long edited[6];
	memcpy(edited, args, sizeof(edited));
	edited[stream->argument] = (long)memory;
	if (nr == SYS_read)
		copy_header(memory, stream);
	long result = kernel_writes_call(nr, edited, caller);
	if (nr == SYS_getdents64 && result > 0)
		keep_gaps(memory, stream->start, result);
	return result > 0 ? deliver(nr, caller, stream, memory, result) : result;
}

long staging_call(long nr, const long args[6], uintptr_t caller)
{
	struct stream stream;
	struct buffer *buffer;
	if (!region_armed_count() || !stream_of(nr, args, &stream) || !wants_staging(&stream) ||
	    !(buffer = buffer_take((uintptr_t)__builtin_frame_address(0))))
		return kernel_writes_call(nr, args, caller);
	long result = call_staged(nr, args, caller, &stream, buffer);
	buffer_give(buffer);
	return result;
}
