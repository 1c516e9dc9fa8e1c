/*
 * What the kernel says of each page: /proc/PID/pagemap, by PAGEMAP_SCAN (Linux 6.7) where the
 * kernel has it, else by reading its 64-bit entries.
 *
 * Any thread may call these functions, the signal handlers too: raw system calls, no lock, no
 * allocation, below 4 KiB of stack. A struct pagemap is only read after pagemap_open, so threads
 * may share one. Pages that change during a walk may be seen before or after the change.
 *
 * A mapping of raw frames ([vvar], device memory; "pf" or "io" among the VmFlags of smaps) has
 * present pages that are neither file nor anonymous: page_is_copied() means nothing there.
 */
#ifndef COWSPY_OBSERVE_PAGEMAP_H
#define COWSPY_OBSERVE_PAGEMAP_H

#include <stdbool.h>
#include <stdint.h>

typedef uint16_t page_flags_t;

enum page_flag {
	PAGE_PRESENT = 1 << 0,
	PAGE_SWAPPED = 1 << 1,
	PAGE_FILE = 1 << 2,      /* of a file or of shared memory, not anonymous; see PAGE_ZERO */
	PAGE_EXCLUSIVE = 1 << 3, /* anonymous, present, and mapped nowhere else */
	/*
	 * The shared zero page. A huge one is known by PAGEMAP_SCAN only; entries show it as
	 * PAGE_FILE, also in anonymous memory.
	 */
	PAGE_ZERO = 1 << 4,
	PAGE_HUGE = 1 << 5, /* mapped as a huge page; only known by PAGEMAP_SCAN */
	/*
	 * Set together with PAGE_ZERO when PAGEMAP_SCAN is missing: the kernel said "present, not
	 * file, not exclusive", which is the zero page, or an anonymous page shared since a fork.
	 */
	PAGE_ZERO_INFERRED = 1 << 6,
	/*
	 * Alone: userfaultfd write protection of a page that is not present. Nothing was there when
	 * it was protected, or it has been swapped out since; the kernel does not say which.
	 */
	PAGE_MARKER = 1 << 7,
};

struct pagemap {
	int fd;
	bool scan;           /* PAGEMAP_SCAN works; clear it to force reading entries */
	uint64_t categories; /* those this kernel's PAGEMAP_SCAN knows */
};

/* What pagemap_page shall find out beyond PRESENT, SWAPPED, FILE; each costs a system call. */
enum pagemap_want {
	PAGEMAP_WANT_EXCLUSIVE = 1 << 0,
	PAGEMAP_WANT_ZERO = 1 << 1, /* PAGE_ZERO, PAGE_HUGE */
};

typedef void (*pagemap_run_fn)(uintptr_t start, uintptr_t end, page_flags_t flags, void *context);

/* A private mapping holds its own anonymous copy of this page (or its first, filled one). */
static inline bool page_is_copied(page_flags_t flags)
{
	return (flags & (PAGE_PRESENT | PAGE_SWAPPED)) && !(flags & (PAGE_FILE | PAGE_ZERO));
}

/* Open "/proc/self/pagemap" or that of another process. Returns 0 or -errno. */
int pagemap_open(struct pagemap *pagemap, const char *path);
void pagemap_close(struct pagemap *pagemap);

/* The flags of the page that holds address; 0 in *flags when untouched. Returns 0 or -errno. */
int pagemap_page(const struct pagemap *pagemap, uintptr_t address, unsigned want,
		 page_flags_t *flags);

/*
 * Call fn for each run of pages with equal flags in [start, end), in order, each page at most once;
 * untouched pages are left out. PAGE_EXCLUSIVE is set only when asked for. Returns 0 or -errno,
 * -ESRCH when the process is gone.
 */
int pagemap_runs(const struct pagemap *pagemap, uintptr_t start, uintptr_t end, bool exclusive,
		 pagemap_run_fn fn, void *context);

#endif
