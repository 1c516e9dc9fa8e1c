#include "record/trace_file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdatomic.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/stat.h>

#include "base/descriptor.h"
#include "base/notice.h"
#include "base/sys.h"
#include "observe/stack_context.h"
#include "record/names.h"

#ifndef MADV_POPULATE_WRITE
#define MADV_POPULATE_WRITE 23
#endif

/*
 * The file is mapped by segments, which stay where they are, and allocated in steps ahead. What is
 * ahead is resident, so the steps stay small: watching 200 MiB has 2 MiB for all that is ours.
 */
#define SEGMENT_SHIFT 24
#define SEGMENT_SIZE ((uint64_t)1 << SEGMENT_SHIFT)
#define SEGMENTS_MOST 4096u
#define STEP_FIRST ((uint64_t)32 << 10)
#define STEP_MOST ((uint64_t)64 << 10)
#define AHEAD ((uint64_t)16 << 10)      /* free when the next step is taken */
#define TRIM_SPARE ((uint64_t)16 << 10) /* for what other threads append meanwhile */
#define RESERVE 128u                    /* for the records that end a file */

#define THREAD_LOCAL static __thread __attribute__((tls_model("initial-exec")))

/* What trace_file_rescue needs to leave an append. */
THREAD_LOCAL void *landing[5];
THREAD_LOCAL bool writing;

static _Atomic int file = -1;
static dev_t device;
static ino_t inode;
static _Atomic(char *) segments[SEGMENTS_MOST];
static _Atomic uint64_t allocated; /* file bytes that may be written */
static _Atomic uint64_t tail;      /* no record begins below it but those before it: a hint */
static _Atomic int growing;
static _Atomic bool stopped;
static _Atomic uint64_t lost;
static _Atomic uint64_t lost_at; /* where the file's TRACE_LOST is; 0: there is none */

/* --- the descriptor --- */

static bool is_our_file(int fd, struct stat *status)
{
	return fd >= 0 && sys_call2(SYS_fstat, fd, status) == 0 && status->st_dev == device &&
	       status->st_ino == inode;
}

/* The program may have closed the descriptor, and have the number for a file of its own. */
static int descriptor(struct stat *status)
{
	int fd = atomic_load(&file);
	if (is_our_file(fd, status))
		return fd;
	fd = (int)sys_call3(SYS_openat, AT_FDCWD, names_trace(), O_RDWR | O_NOFOLLOW | O_CLOEXEC);
	if (fd < 0)
		return fd;
	if (!is_our_file(fd, status)) {
		sys_call1(SYS_close, fd);
		return -ESTALE;
	}
	fd = descriptor_move_up(fd);
	atomic_store(&file, fd);
	return fd;
}

int trace_file_descriptor(void)
{
	return atomic_load(&file);
}

void trace_file_descriptor_leave(void)
{
	int fd = atomic_exchange(&file, -1);
	struct stat status;
	if (is_our_file(fd, &status))
		sys_call1(SYS_close, fd);
}

/* --- growing --- */

static void grow_lock(void)
{
	while (atomic_exchange_explicit(&growing, 1, memory_order_acquire))
		sys_call0(SYS_sched_yield);
}

static bool grow_trylock(void)
{
	return !atomic_exchange_explicit(&growing, 1, memory_order_acquire);
}

static void grow_unlock(void)
{
	atomic_store_explicit(&growing, 0, memory_order_release);
}

/* Where the kernel checks the limit it also sends SIGXFSZ: check it before. */
static bool within_size_limit(uint64_t end)
{
	struct rlimit limit;
	return sys_call4(SYS_prlimit64, 0, RLIMIT_FSIZE, 0, &limit) || limit.rlim_cur >= end;
}

static int write_zeros(int fd, uint64_t start, uint64_t end)
{
	static const char zeros[4096];
	while (start < end) {
		size_t size = end - start < sizeof(zeros) ? end - start : sizeof(zeros);
		long n = sys_call4(SYS_pwrite64, fd, zeros, size, start);
		if (n == -EINTR)
			continue;
		if (n <= 0)
			return n ? (int)n : -ENOSPC;
		start += (uint64_t)n;
	}
	return 0;
}

static int allocate(int fd, uint64_t start, uint64_t end)
{
	long error;
	if (!within_size_limit(end))
		return -EFBIG;
	do
		error = sys_call4(SYS_fallocate, fd, 0, start, end - start);
	while (error == -EINTR);
	if (error == -EOPNOTSUPP || error == -ENOSYS)
		error = write_zeros(fd, start, end);
	if (error == -EFBIG) /* SIGXFSZ was blocked when the kernel sent it */
		sys_take_signal_away(SIGXFSZ);
	return (int)error;
}

/* Fork children never see these pages: they could only do harm to their parent's file. */
static int map_segment(int fd, uint64_t at)
{
	_Atomic(char *) *segment = &segments[at >> SEGMENT_SHIFT];
	if (atomic_load(segment))
		return 0;
	long base = sys_call6(SYS_mmap, 0, SEGMENT_SIZE, PROT_READ | PROT_WRITE, MAP_SHARED, fd,
			      at & ~(SEGMENT_SIZE - 1));
	if (sys_failed(base))
		return (int)base;
	sys_call3(SYS_madvise, base, SEGMENT_SIZE, MADV_DONTFORK);
	sys_call3(SYS_madvise, base, SEGMENT_SIZE, MADV_DONTDUMP);
	atomic_store_explicit(segment, (char *)base, memory_order_release);
	return 0;
}

static char *address_of(uint64_t at)
{
	char *segment = atomic_load_explicit(&segments[at >> SEGMENT_SHIFT], memory_order_acquire);
	return segment + (at & (SEGMENT_SIZE - 1));
}

static uint64_t smaller(uint64_t a, uint64_t b)
{
	return a < b ? a : b;
}

/* The next step: as much again as there is, within limits and within a segment. */
static uint64_t step_end(uint64_t start)
{
	uint64_t step = start < STEP_FIRST ? STEP_FIRST - start : smaller(start, STEP_MOST);
	return smaller(start + step, (start | (SEGMENT_SIZE - 1)) + 1);
}

/*
 * Full pages need not count as the program's: the file keeps them, and a thread that still writes a
 * record there faults them in again. Called when all but AHEAD below `start` is taken; the record that
 * needs the room often lies just below that, so the last page of a step is dropped with the next.
 */
static void drop_written(uint64_t start)
{
	if (start < STEP_FIRST)
		return;
	uint64_t end = start - AHEAD;
	uint64_t segment = end & ~(SEGMENT_SIZE - 1);
	uint64_t step = STEP_MOST + PAGE_SIZE;
	uint64_t from = end - segment > step ? end - step : segment;
	sys_call3(SYS_madvise, address_of(from), end - from, MADV_DONTNEED);
}

static int grow_locked(void)
{
	uint64_t start = atomic_load(&allocated), end = step_end(start);
	struct stat status;
	if (start >> SEGMENT_SHIFT >= SEGMENTS_MOST)
		return -EFBIG;
	int fd = descriptor(&status);
	if (fd < 0)
		return fd;
	if ((uint64_t)status.st_size < start)
		return -ESTALE;
	int error = allocate(fd, start, end);
	error = error ? error : map_segment(fd, start);
	if (error)
		return error;
	error = (int)sys_call3(SYS_madvise, address_of(page_floor(start)), end - page_floor(start),
			       MADV_POPULATE_WRITE);
	if (error == -EFAULT || error == -ENOMEM)
		return error;
	drop_written(start);
	atomic_store_explicit(&allocated, end, memory_order_release);
	return 0;
}

/* --- stopping --- */

static enum trace_lost_reason reason_of(int error)
{
	switch (error) {
	case -ENOSPC:
	case -EDQUOT:
	case -EFBIG: return TRACE_LOST_SPACE;
	case -ENOMEM: return TRACE_LOST_MEMORY;
	default: return TRACE_LOST_FILE;
	}
}

static void say_stopped(int error)
{
	notice_say("recording stopped, ", names_trace(),
		   error == -ENOSPC   ? ": no space left; what it holds can be read\n"
		   : error == -EDQUOT ? ": the disk quota is used up; what it holds can be read\n"
		   : error == -EFBIG ? ": the limit of file sizes is reached; what it holds can be "
				       "read\n"
		   : error == -ENOMEM ? ": no memory left; what it holds can be read\n"
				      : ": the file was removed, truncated or changed meanwhile\n");
}

static void stop(int error)
{
	struct trace_lost record = {
		.time = sys_now(),
		.reason = reason_of(error),
		.error = (uint32_t)-error,
	};
	if (atomic_exchange(&stopped, true))
		return;
	trace_file_append_last(TRACE_LOST, &record, sizeof(record));
	say_stopped(error);
}

/* --- appending --- */

/* memcpy of libc uses vector registers, which may be the program's here. */
static void copy_words(void *to, const void *from, size_t bytes)
{
	uint64_t *target = to;
	const uint64_t *source = from;
	for (; bytes >= sizeof(*target); bytes -= sizeof(*target)) {
		*target++ = *source++;
		__asm__ volatile("" ::: "memory"); /* stays a loop */
	}
}

static void copy_bytes(char *to, const char *from, size_t bytes)
{
	for (; bytes; bytes--) {
		*to++ = *from++;
		__asm__ volatile("" ::: "memory");
	}
}

static uint64_t pending(uint64_t type, uint64_t size)
{
	return size << 32 | type;
}

/*
 * One step takes the place and tells its size, so a thread that is stopped here for good leaves no
 * hole. Where the place is taken already its size leads to the next. False: the file is damaged.
 */
static bool take_place(uint64_t *at, uint64_t header)
{
	_Atomic uint64_t *place = (_Atomic uint64_t *)address_of(*at);
	uint64_t present = 0;
	if (atomic_compare_exchange_strong(place, &present, header))
		return true;
	uint64_t size = present >> 32;
	if (size < sizeof(struct trace_record) || size % TRACE_ALIGNMENT ||
	    size > SEGMENT_SIZE - (*at & (SEGMENT_SIZE - 1)))
		*at = ~(uint64_t)0;
	else
		*at += size;
	return false;
}

static void move_tail(uint64_t end)
{
	if (atomic_load_explicit(&tail, memory_order_relaxed) < end)
		atomic_store_explicit(&tail, end, memory_order_relaxed);
}

/* The end of the place for `size` bytes at `at`, with what has to stay free behind it. */
static bool has_room(uint64_t end, bool last)
{
	uint64_t now = atomic_load_explicit(&allocated, memory_order_acquire);
	if (last || end + RESERVE + AHEAD <= now)
		return end <= now;
	if (!atomic_load_explicit(&stopped, memory_order_relaxed) && grow_trylock()) {
		if (atomic_load(&allocated) == now)
			grow_locked(); /* ahead of need: whether it failed is found when needed */
		grow_unlock();
	}
	return end + RESERVE <= atomic_load_explicit(&allocated, memory_order_acquire);
}

static int make_room(uint64_t end)
{
	int error = 0;
	grow_lock();
	while (!error && end + RESERVE > atomic_load(&allocated))
		error = grow_locked();
	grow_unlock();
	return error;
}

/* Where a record of that size may be written; 0: nowhere, with *error. */
static uint64_t reserve(uint64_t size, bool last, int *error)
{
	uint64_t at = atomic_load_explicit(&tail, memory_order_relaxed);
	*error = 0;
	for (;;) {
		uint64_t rest = SEGMENT_SIZE - (at & (SEGMENT_SIZE - 1));
		bool fits = size <= rest;
		uint64_t end = at + (fits ? size : rest);
		if (at == ~(uint64_t)0)
			*error = -ESTALE;
		else if (!has_room(end, last))
			*error = last ? -ENOSPC : make_room(end);
		if (*error)
			return 0;
		if (!take_place(&at,
				fits ? pending(TRACE_PENDING, size) : pending(TRACE_FILLER, rest)))
			continue;
		move_tail(end);
		if (fits)
			return at;
		at = end;
	}
}

static uint64_t padded(uint64_t size)
{
	return (size + TRACE_ALIGNMENT - 1) & ~(uint64_t)(TRACE_ALIGNMENT - 1);
}

struct append {
	enum trace_type type;
	const void *fixed;
	size_t size;
	const struct trace_part *parts;
	unsigned part_count;
	bool last;
	uint64_t at; /* out */
	int error;   /* out */
};

static void write_record(struct append *append)
{
	uint64_t size = append->size;
	for (unsigned i = 0; i < append->part_count; i++)
		size += append->parts[i].size;
	append->at = reserve(padded(size), append->last, &append->error);
	if (!append->at)
		return;
	char *place = address_of(append->at);
	const size_t head = sizeof(struct trace_record);
	copy_words(place + head, (const char *)append->fixed + head, append->size - head);
	char *next = place + append->size;
	for (unsigned i = 0; i < append->part_count; i++) {
		copy_bytes(next, append->parts[i].data, append->parts[i].size);
		next += append->parts[i].size;
	}
	__atomic_store_n((uint32_t *)place, (uint32_t)append->type, __ATOMIC_RELEASE);
}

/*
 * The file may be cut short at any moment by somebody else; touching what is gone raises SIGBUS,
 * and the handler leads here by the second return of setjmp.
 */
static __attribute__((noinline)) bool guarded(void (*write)(struct append *), struct append *append)
{
	bool whole = false;
	if (__builtin_setjmp(landing) == 0) {
		writing = true;
		atomic_signal_fence(memory_order_seq_cst);
		write(append);
		atomic_signal_fence(memory_order_seq_cst);
		whole = true;
	}
	writing = false;
	return whole;
}

/* Runs in place of what faulted. */
static void land(void)
{
	__builtin_longjmp(landing, 1);
}

bool trace_file_rescue(ucontext_t *interrupted)
{
	if (!writing)
		return false;
	stack_context_jump(interrupted, (uintptr_t)land);
	return true;
}

static bool append_record(struct append *append)
{
	if (!guarded(write_record, append))
		append->error = -ESTALE;
	return !append->error;
}

bool trace_file_append(enum trace_type type, void *fixed, size_t size,
		       const struct trace_part *parts, unsigned part_count)
{
	struct append append = {type, fixed, size, parts, part_count, false, 0, 0};
	if (atomic_load_explicit(&stopped, memory_order_relaxed))
		return false;
	if (append_record(&append))
		return true;
	stop(append.error);
	return false;
}

bool trace_file_append_last(enum trace_type type, void *fixed, size_t size)
{
	struct append append = {type, fixed, size, NULL, 0, true, 0, 0};
	if (!append_record(&append))
		return false;
	if (type == TRACE_LOST)
		atomic_store(&lost_at, append.at);
	return true;
}

/* --- losses --- */

static void write_lost(struct append *append)
{
	struct trace_lost *record = (struct trace_lost *)address_of(append->at);
	__atomic_store_n(&record->count, atomic_load(&lost), __ATOMIC_RELAXED);
}

void trace_file_lose(void)
{
	struct append append = {.at = atomic_load(&lost_at)};
	atomic_fetch_add_explicit(&lost, 1, memory_order_relaxed);
	if (append.at && !guarded(write_lost, &append))
		atomic_store(&lost_at, 0);
}

uint64_t trace_file_lost(void)
{
	return atomic_load_explicit(&lost, memory_order_relaxed);
}

/* --- begin and end --- */

static int write_at(int fd, const void *data, size_t size, uint64_t at)
{
	long n = sys_call4(SYS_pwrite64, fd, data, size, at);
	return n == (long)size ? 0 : n < 0 ? (int)n : -ENOSPC;
}

/* The first eight bytes last. */
static int write_header(int fd, const struct trace_header *header)
{
	const size_t first = sizeof(header->magic);
	int error = write_at(fd, (const char *)header + first, sizeof(*header) - first, first);
	return error ? error : write_at(fd, header, first, 0);
}

static int take_over(int fd, const struct trace_header *header)
{
	struct stat status;
	long n = sys_call2(SYS_fstat, fd, &status);
	if (n)
		return (int)n;
	device = status.st_dev;
	inode = status.st_ino;
	atomic_store(&file, fd);
	atomic_store(&tail, header->header_size);
	grow_lock();
	int error = grow_locked();
	grow_unlock();
	if (error)
		return error;
	return write_header(fd, header);
}

int trace_file_begin(int fd, const struct trace_header *header)
{
	int error = take_over(descriptor_move_up(fd), header);
	if (error) {
		trace_file_descriptor_leave();
		sys_call3(SYS_unlinkat, AT_FDCWD, names_trace(), 0);
		atomic_store(&stopped, true);
	}
	return error;
}

/*
 * A thread that took its place before it saw the new end finds its pages in the spare room behind
 * the tail; later ones grow the file again.
 */
void trace_file_trim(void)
{
	struct stat status;
	grow_lock();
	uint64_t before = atomic_load(&allocated);
	uint64_t end = page_ceil(atomic_load(&tail) + RESERVE) + TRIM_SPARE;
	int fd = before > end ? descriptor(&status) : -1;
	if (fd >= 0 && (uint64_t)status.st_size == before) {
		atomic_store(&allocated, end);
		sys_call2(SYS_ftruncate, fd, end);
	}
	grow_unlock();
}

void trace_file_child(void)
{
	int fd = atomic_exchange(&file, -1);
	struct stat status;
	if (is_our_file(fd, &status))
		sys_call1(SYS_close, fd);
	for (unsigned i = 0; i < SEGMENTS_MOST && atomic_load(&segments[i]); i++)
		atomic_store(&segments[i], NULL);
	atomic_store(&allocated, 0);
	atomic_store(&tail, 0);
	atomic_store(&growing, 0);
	atomic_store(&lost, 0);
	atomic_store(&lost_at, 0);
	atomic_store(&stopped, false);
	writing = false;
}
