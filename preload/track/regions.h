/*
 * The registry: every private mapping that we track, as the program sees it.
 *
 * Regions never overlap, are sorted by address, and are looked up by binary search over blocks of
 * sorted pointers. region_peek and region_copy_next take no lock and may be called anywhere, the
 * signal handlers included: they read optimistically and try again when a writer was there.
 * region_find wants the read or the write lock (track/lock.h); every function that changes wants
 * the write lock. Region structures belong to the registry.
 */
#ifndef COWSPY_TRACK_REGIONS_H
#define COWSPY_TRACK_REGIONS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Why a region is watched by kernel truth alone; REGION_PROTECTED when it is not. */
enum region_limit {
	REGION_PROTECTED = 0,
	REGION_NO_VMA,       /* the kernel refused to split the mapping any further */
	REGION_STACK,        /* a thread or signal stack lies in it */
	REGION_HUGETLB,      /* pages of hugetlbfs */
	REGION_ASYNCHRONOUS, /* the kernel may write it at any time (io_uring, AIO, ...) */
	REGION_SECCOMP,      /* the program forbade itself the system calls that we need */
	REGION_NO_NET,       /* nothing lets us see the system calls that write into it */
	REGION_USER,         /* by option or cowspy_untrack */
	REGION_MODE = 10,    /* kernel truth is all that is wanted (mode.h); 8, 9: TRACE_LIMIT_ */
	REGION_TRACED,       /* the process's parent traces it, and would see our signals */
	REGION_LIMITS
};

/* What the program has told the kernel about a region by madvise(2). */
enum region_advice {
	ADVICE_RANDOM = 1 << 0,
	ADVICE_SEQUENTIAL = 1 << 1,
	ADVICE_DONTFORK = 1 << 2,
	ADVICE_WIPEONFORK = 1 << 3,
	ADVICE_MERGEABLE = 1 << 4,
	ADVICE_HUGEPAGE = 1 << 5,
	ADVICE_NOHUGEPAGE = 1 << 6,
	/* These do something once, to part of the region or to all of it. */
	ADVICE_WILLNEED = 1 << 7,
	ADVICE_COLD = 1 << 8,
	ADVICE_PAGEOUT = 1 << 9,
	ADVICE_FREE = 1 << 10,
	ADVICE_COLLAPSE = 1 << 11,
};

struct region {
	uintptr_t start;    /* page aligned */
	uintptr_t end;      /* page aligned, exclusive */
	uint8_t protection; /* PROT_ bits as the program set them */
	uint8_t limit;      /* enum region_limit */
	bool file;          /* backed by a file */
	uint16_t advice;    /* enum region_advice bits */
	bool inherited;     /* mapped before the fork that began this process's trace, or adopted */
	bool shared_since_fork; /* its pages may be shared with another process since a fork */
	uint32_t id;            /* unique in this process, in order of registration */
	const char *name;       /* owner's name (cowspy_name, PR_SET_VMA_ANON_NAME), or NULL */
};

/* A region that is protected when its pages are closed. */
static inline bool region_armed(const struct region *region)
{
	return region->limit == REGION_PROTECTED && (region->protection & 2 /* PROT_WRITE */);
}

/* Copies the region around address. False when there is none. */
bool region_peek(uintptr_t address, struct region *copy);

/* Copies the first region whose end lies above address: walks the registry in order. */
bool region_copy_next(uintptr_t address, struct region *copy);

/* Whether a region intersects [start, end). */
bool region_any(uintptr_t start, uintptr_t end);

/* The region around address, or the first one above it when `or_above`; NULL when there is none. */
struct region *region_find(uintptr_t address, bool or_above);

/*
 * Insert a region like `model` (start, end, and all else but id). Its range must be free.
 * NULL when memory is out.
 */
struct region *region_insert(const struct region *model);

/* Cut at address: a region that spans it becomes two. 0, or -ENOMEM. */
int region_split(uintptr_t address);

/* Remove all of [start, end), splitting what sticks out. 0, or -ENOMEM with nothing removed. */
int region_remove(uintptr_t start, uintptr_t end);

size_t region_count(void);

/* Armed regions right now: while it is 0, no page is protected by us. */
size_t region_armed_count(void);

/*
 * The selector of Syscall User Dispatch: 1 (block) while a region is armed or somebody holds it,
 * else 0 (allow).
 */
extern volatile uint8_t region_selector;
void region_selector_hold(bool hold);
void region_selector_stop(void); /* 0 for good */

/* The protection or limit of a region in the registry was changed in place. */
void region_armed_changed(const struct region *before, const struct region *after);

#endif
