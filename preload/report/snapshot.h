/*
 * A snapshot: what the kernel says of every page now, and which first writes explain it.
 *
 * Any thread and handler that holds none of our locks may take one; it takes none, works in memory
 * of its own, and the program runs on meanwhile. The kernel is read before our own knowledge of a
 * page, and a first write is recorded before it happens: a copy seen always finds its event.
 */
#ifndef COWSPY_REPORT_SNAPSHOT_H
#define COWSPY_REPORT_SNAPSHOT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/list.h"
#include "observe/pagemap.h"
#include "record/journal.h"
#include "track/regions.h"

/* ---- one page ---- */

/* All that the state of a page depends on. */
struct page_facts {
	page_flags_t flags; /* of the kernel */
	bool watched;       /* its region is protected where it is closed */
	bool open;
	bool inherited;         /* its region was mapped before this process was forked */
	bool shared_since_fork; /* its region has been through a fork */
	bool mergeable;         /* KSM may merge it with equal pages */
	bool event;             /* this process recorded a first write of it */
	bool reuse;             /* that was a reuse in place */
	bool origin;            /* before the reuse, this process recorded the copy itself */
};

struct page_state {
	char letter;     /* see PAGE_LETTERS */
	bool copied;     /* this process has a copy of its own */
	bool attributed; /* and an event explains it */
	bool reused;     /* the latest event is a reuse in place */
};

/* Letters in the order of the legend. */
#define PAGE_LETTERS ".fzCsirSH?"

struct page_state snapshot_page_state(const struct page_facts *facts);

/* The state of a page, and the first writes of this process that explain it. */
struct page_view {
	struct page_state state;
	page_flags_t flags;              /* of the kernel, without marks of our own */
	const struct kept_write *event;  /* the latest, or NULL */
	const struct kept_write *origin; /* the one that made the copy, or NULL */
};

/* Of a page with these flags. The region is in the registry when `tracked`. */
struct page_view snapshot_page_view(const struct region *region, bool tracked, uintptr_t page,
				    page_flags_t flags);

/* ---- all of them ---- */

/* Why a mapping is not tracked. */
enum untracked {
	UNTRACKED_STACK,   /* of a thread or of signals */
	UNTRACKED_LIBRARY, /* of libc, the loader, the unwinder or ours */
	UNTRACKED_UNSEEN,  /* from before we started, or made by libc since the last fork */
	UNTRACKED_REASONS
};

struct mapping {
	struct region region; /* of one that is not tracked: start, end, protection, file */
	bool tracked;
	uint8_t untracked;        /* enum untracked */
	size_t path, path_length; /* in snapshot->names; length 0: anonymous */
	size_t run, runs;         /* in snapshot->runs, ascending */
	uint64_t copied, attributed, zero, clean, resident, swapped;
	uint64_t locked; /* bytes, by the kernel's own count (smaps) */
};

/* Pages of one mapping with the same letter. Untouched ones have no run. */
struct page_run {
	uintptr_t start;
	uint64_t pages : 56;
	uint64_t letter : 8;
};

#define GROUP_THREADS 8

/* All first writes of this process with one stack. */
struct stack_group {
	uint64_t writes; /* events, reuse included */
	uint64_t copied; /* pages that are copied now and explained by one of them */
	uint64_t first;  /* time */
	uint64_t compared, identical, changed_bytes; /* of `copied`: see changes.h */
	uint32_t kinds[KINDS];
	uint32_t causes[CAUSES];
	uint32_t threads[GROUP_THREADS];
	uint16_t thread_count; /* GROUP_THREADS + 1: more than there is room for */
	uint16_t syscall;      /* of the first, as in struct kept_write */
};

/* Of a copied page whose contents before are known: by its first write, how many bytes differ. */
struct page_change {
	uint32_t event;
	uint32_t bytes;
};

#define SYSCALLS_MOST 1023 /* as many as struct kept_write can number */

struct snapshot {
	uint64_t time;
	int truth_error;      /* 0, or -errno: states are from events alone */
	struct list mappings; /* struct mapping; the tracked ones first, each part by address */
	size_t tracked;
	struct list runs;                            /* struct page_run */
	struct list names;                           /* bytes */
	struct list changes;                         /* struct page_change */
	uint64_t compared, identical, changed_bytes; /* pages, pages, bytes */
	uint64_t not_compared;      /* copied pages, of which is not known what they were */
	struct stack_group *groups; /* by stack id; [0]: first writes without a stack */
	size_t group_count;
	uint64_t copied, attributed; /* pages of tracked mappings */
	uint64_t reused;             /* pages whose latest event is a reuse */
	uint64_t kinds[KINDS];       /* of attributed pages */
	uint64_t causes[CAUSES];
	uint64_t syscalls[SYSCALLS_MOST]; /* by number, of those by a system call */
	uint64_t events;                  /* of this process, complete */
	uint64_t ambiguous; /* zero pages, or shared since a fork: this kernel does not say which */
	uint64_t first_time; /* of the first event; 0: none */
	bool incomplete;     /* memory was short: counts are lower bounds */
};

/* NULL when memory is out. */
struct snapshot *snapshot_take(void);
void snapshot_release(struct snapshot *snapshot);

static inline struct mapping *snapshot_mapping(const struct snapshot *snapshot, size_t index)
{
	return list_at(&snapshot->mappings, index);
}

static inline const char *snapshot_path(const struct snapshot *snapshot,
					const struct mapping *mapping)
{
	return (const char *)snapshot->names.items + mapping->path;
}

#endif
