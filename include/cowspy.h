/*
 * cowspy.h: what libcowspy.so knows of this process's private pages, from inside the program.
 *
 * A program may use all of this whether or not libcowspy.so is preloaded, and links with nothing.
 * Where it is not, nothing happens, and the result is as written with each function: questions fail
 * with ENOSYS, everything else succeeds. The same holds in programs that a watched program started,
 * where the library stays silent (see COWSPY_OUTPUT in cowspy(1)).
 *
 * For all functions
 *	- Results are 0, or -1 with errno set. A call that succeeds leaves errno as it was.
 *	- Any thread may call, at any time. Signal handlers may call cowspy_copied, cowspy_query,
 *	  cowspy_label, cowspy_snapshot, cowspy_pause and cowspy_resume; the others take a lock, and
 *	  are safe in handlers too, since it is only held while signals are blocked.
 *	- No memory passes between the program and the library: what the program hands in is copied,
 *	  what it gets lies in its own buffers.
 *	- Addresses are page aligned where the text says so, lengths are in bytes and are rounded up
 *	  to whole pages of sysconf(_SC_PAGESIZE) bytes.
 *	- The calls never change the program's memory, but for the buffers that it hands in; writing
 *	  into these can be a first write as any other.
 *
 * Position-dependent executables (-no-pie) built by clang must compile the files that include this
 * header with -fPIE or -fPIC. Static programs cannot be preloaded.
 *
 * What a page state is: cowspy(3). Where it comes from: Documentation/admin-guide/mm/pagemap.rst of
 * the Linux kernel, mincore(2), mlock(2).
 */
#ifndef COWSPY_H
#define COWSPY_H

#include <errno.h>
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/* ---- page states ---- */

/* Bits of the bytes of cowspy_copied. */
enum cowspy_bit {
	/*
	 * This process holds a copy of its own: of a file's page, of the zero page, of a page shared
	 * by a fork, or a page filled at its first touch; also while it is swapped out. A page that
	 * was copied before a fork stays this process's copy; for the child it is none.
	 */
	COWSPY_COPIED = 1 << 0,
	/* In memory, as mincore(2) says: of a file also when it is only in the page cache. */
	COWSPY_RESIDENT = 1 << 1,
	/* The zero page: anonymous memory that was read and never written. */
	COWSPY_ZERO = 1 << 2,
	/* Anonymous, and mapped elsewhere too: shared since a fork, or merged by KSM, which takes the
	 * copy back. */
	COWSPY_SHARED = 1 << 3,
	/* Its latest first write went into a page that was ours alone: no copy was made. */
	COWSPY_REUSED = 1 << 4,
	/* Swapped out. */
	COWSPY_SWAPPED = 1 << 5,
	/* In a mapping locked by mlock(2), mlockall(2) or MAP_LOCKED; with MLOCK_ONFAULT also while
	 * nothing is there yet. */
	COWSPY_LOCKED = 1 << 6,
	/* Its latest first write was the kernel's: for a system call, by locking, by populating. */
	COWSPY_KERNEL = 1 << 7
};

/* What a page was just before its first write. */
enum cowspy_kind {
	COWSPY_KIND_UNKNOWN = 0, /* the kernel could not be asked */
	COWSPY_KIND_FILE = 1,    /* a page of a file: copied */
	COWSPY_KIND_ZERO = 2,    /* the zero page: copied */
	COWSPY_KIND_FILL = 3,    /* nothing: a first touch */
	COWSPY_KIND_FORK = 4,    /* shared since a fork: copied */
	COWSPY_KIND_REUSE = 5    /* ours alone: written in place */
};

/* Who wrote. */
enum cowspy_cause {
	COWSPY_CAUSE_WRITE = 0,   /* an instruction */
	COWSPY_CAUSE_SYSCALL = 1, /* the kernel, for a system call */
	COWSPY_CAUSE_LOCK = 2,    /* mlock and its kin, MAP_LOCKED */
	COWSPY_CAUSE_POPULATE = 3 /* MADV_POPULATE_WRITE, MADV_COLLAPSE, MAP_POPULATE */
};

#define COWSPY_STACK_MOST 128
#define COWSPY_NAME_MOST 80
#define COWSPY_PATH_MOST 256

/* All about one page. */
struct cowspy_page {
	uintptr_t start; /* its mapping, [start, end) */
	uintptr_t end;
	uint64_t time;             /* of the first write, CLOCK_MONOTONIC in nanoseconds */
	uint32_t protection;       /* PROT_ bits, as the program set them */
	uint32_t thread;           /* that wrote first, as gettid(2) gives it */
	uint32_t epoch;            /* forks of this process and its parents before that */
	int32_t system_call;       /* number, for the causes but COWSPY_CAUSE_WRITE; else -1 */
	unsigned char bits;        /* enum cowspy_bit */
	char state;                /* the letter of page maps: cowspy(3) */
	unsigned char is_tracked;  /* its mapping's first writes are recorded */
	unsigned char is_recorded; /* it has one: kind, cause, time and so on are of the latest */
	unsigned char kind;        /* enum cowspy_kind */
	unsigned char cause;       /* enum cowspy_cause */
	uint16_t stack_depth;      /* addresses in `stack`; 0: no stack is known */
	/* The instruction (behind a system call: where it returns to), then return addresses. */
	uintptr_t stack[COWSPY_STACK_MOST];
	char name[COWSPY_NAME_MOST]; /* by cowspy_name or PR_SET_VMA_ANON_NAME; "" without one */
	char path[COWSPY_PATH_MOST]; /* as /proc/self/maps has it, cut when too long */
};

/* ---- the library's own functions: call those below ---- */

/* gcc reaches weak functions of position-dependent code through the linkage table only if told. */
#if defined(__GNUC__) && !defined(__clang__)
#define COWSPY_WEAK __attribute__((weak, noplt))
#else
#define COWSPY_WEAK __attribute__((weak))
#endif

int cowspy_1_copied(const void *, size_t, unsigned char *) __asm__("cowspy_copied") COWSPY_WEAK;
int cowspy_1_query(const void *, struct cowspy_page *, size_t) __asm__("cowspy_query") COWSPY_WEAK;
int cowspy_1_snapshot(const char *) __asm__("cowspy_snapshot") COWSPY_WEAK;
int cowspy_1_label(const char *) __asm__("cowspy_label") COWSPY_WEAK;
int cowspy_1_track(const void *, size_t, const char *) __asm__("cowspy_track") COWSPY_WEAK;
int cowspy_1_untrack(const void *, size_t) __asm__("cowspy_untrack") COWSPY_WEAK;
int cowspy_1_name(const void *, size_t, const char *) __asm__("cowspy_name") COWSPY_WEAK;
int cowspy_1_pause(void) __asm__("cowspy_pause") COWSPY_WEAK;
int cowspy_1_mode(int) __asm__("cowspy_mode") COWSPY_WEAK;
int cowspy_1_resume(void) __asm__("cowspy_resume") COWSPY_WEAK;

/* The wrappers' own symbols differ from the library's, for where the compiler does not inline. */
#define COWSPY_WRAPPER(name) __asm__("cowspy_wrapper_" #name) __attribute__((unused))

static __inline__ int cowspy_copied(const void *, size_t, unsigned char *) COWSPY_WRAPPER(copied);
static __inline__ int cowspy_query(const void *, struct cowspy_page *) COWSPY_WRAPPER(query);
static __inline__ int cowspy_snapshot(const char *) COWSPY_WRAPPER(snapshot);
static __inline__ int cowspy_label(const char *) COWSPY_WRAPPER(label);
static __inline__ int cowspy_track(const void *, size_t, const char *) COWSPY_WRAPPER(track);
static __inline__ int cowspy_untrack(const void *, size_t) COWSPY_WRAPPER(untrack);
static __inline__ int cowspy_name(const void *, size_t, const char *) COWSPY_WRAPPER(name);
static __inline__ int cowspy_pause(void) COWSPY_WRAPPER(pause);
static __inline__ int cowspy_mode(int) COWSPY_WRAPPER(mode);
static __inline__ int cowspy_resume(void) COWSPY_WRAPPER(resume);

/* ---- questions ---- */

/*
 * For each page of [address, address + length), address page aligned, a byte of enum cowspy_bit
 * bits in vec: one byte a page, as mincore(2) has it. The range may hold any memory, tracked or
 * not; of shared mappings only COWSPY_RESIDENT and COWSPY_LOCKED are ever set. The answer may be
 * out of date when it arrives. After an error vec may have been written in part.
 *
 * Costs 0.1 to 0.3 us a page; it reads /proc/self/maps when part of the range is not tracked, or is
 * locked.
 *
 *	EINVAL   address is not page aligned
 *	ENOMEM   part of the range is not mapped
 *	EFAULT   vec does not point to writable memory of (length + page size - 1) / page size bytes
 *	EAGAIN   the kernel was short of resources
 *	ENOTSUP  /proc/self/pagemap cannot be read
 *	ENOSYS   libcowspy.so is not preloaded
 */
static __inline__ int cowspy_copied(const void *address, size_t length, unsigned char *vec)
{
	if (cowspy_1_copied)
		return cowspy_1_copied(address, length, vec);
	errno = ENOSYS;
	return -1;
}

/*
 * All about the page that holds address, into *page. Reads /proc/self/maps.
 *
 *	ENOMEM   nothing is mapped there
 *	EFAULT   page does not point to writable memory
 *	ENOTSUP  /proc/self/pagemap cannot be read
 *	ENOSYS   libcowspy.so is not preloaded
 */
static __inline__ int cowspy_query(const void *address, struct cowspy_page *page)
{
	if (cowspy_1_query)
		return cowspy_1_query(address, page, sizeof(*page));
	errno = ENOSYS;
	return -1;
}

/* ---- the record ---- */

/*
 * Mark this moment with a text, of which the first 107 bytes are kept: reports and the trace list
 * it with its time. For ENOMEM the mark is lost.
 */
static __inline__ int cowspy_label(const char *label)
{
	return cowspy_1_label ? cowspy_1_label(label) : 0;
}

/*
 * Write a report now, as the snapshot signal does, with `label` as the latest mark; NULL: without.
 * When another thread is writing a report at this moment, that one stands for both.
 */
static __inline__ int cowspy_snapshot(const char *label)
{
	return cowspy_1_snapshot ? cowspy_1_snapshot(label) : 0;
}

/*
 * Stop recording first writes in the whole process, until cowspy_resume was called as often as
 * cowspy_pause. Pages written meanwhile are copied pages without an event; reports say how many.
 * EINVAL: cowspy_resume without cowspy_pause.
 */
static __inline__ int cowspy_pause(void)
{
	return cowspy_1_pause ? cowspy_1_pause() : 0;
}

static __inline__ int cowspy_resume(void)
{
	return cowspy_1_resume ? cowspy_1_resume() : 0;
}

/* What is known of pages. */
enum cowspy_mode {
	COWSPY_MODE_TRUTH = 0, /* what the kernel says: the program runs at its own speed */
	COWSPY_MODE_EXACT = 1  /* who wrote each page first, too */
};

/*
 * Switch the whole process to one of enum cowspy_mode, as COWSPY_MODE_SIGNAL does. Pages copied
 * while the mode was COWSPY_MODE_TRUTH are copied pages without an event, and stay so. Each switch
 * is a mark, as of cowspy_label. Takes as long as a fork's protecting does: up to 0.3 us for each
 * page that is there.
 *
 *	EINVAL   there is no such mode
 *	ENOTSUP  this process began with COWSPY_MODE=truth, or without Syscall User Dispatch
 */
static __inline__ int cowspy_mode(int mode)
{
	return cowspy_1_mode ? cowspy_1_mode(mode) : 0;
}

/* ---- what is tracked, and what it is called ---- */

/*
 * Track the private mappings of [address, address + length), address page aligned, whatever
 * COWSPY_SCOPE says, and name them unless name is NULL. Pages copied before stay without an event.
 * What can never be protected (stacks, the C library's own data, hugetlbfs) is watched by the
 * kernel's word alone, and the report says so.
 *
 *	EINVAL  address is not page aligned, or no private mapping is there
 *	ENOMEM  part of the range is not mapped, or memory is out; the rest is tracked
 */
static __inline__ int cowspy_track(const void *address, size_t length, const char *name)
{
	return cowspy_1_track ? cowspy_1_track(address, length, name) : 0;
}

/* Record no more first writes there, also after later forks. Errors as of cowspy_track. */
static __inline__ int cowspy_untrack(const void *address, size_t length)
{
	return cowspy_1_untrack ? cowspy_1_untrack(address, length) : 0;
}

/*
 * Name the tracked mappings of [address, address + length), address page aligned: for allocators
 * and runtimes. The name is cut to COWSPY_NAME_MOST - 1 bytes; NULL takes it away. Reports show it
 * beside the path; the kernel does not learn of it.
 *
 *	EINVAL  address is not page aligned
 *	ENOENT  nothing is tracked there
 *	ENOMEM  memory is out, or more than 6144 names were used
 */
static __inline__ int cowspy_name(const void *address, size_t length, const char *name)
{
	return cowspy_1_name ? cowspy_1_name(address, length, name) : 0;
}

#ifdef __cplusplus
}
#endif

#endif
