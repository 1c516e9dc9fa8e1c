#include "observe/pagemap.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/ioctl.h>

#include "base/sys.h"

/* Bits of an entry of /proc/PID/pagemap: Documentation/admin-guide/mm/pagemap.rst. */
#define ENTRY_EXCLUSIVE (1ull << 56)
#define ENTRY_WRITE_PROTECTED (1ull << 57)
#define ENTRY_GUARD (1ull << 58)
#define ENTRY_FILE (1ull << 61)
#define ENTRY_SWAPPED (1ull << 62)
#define ENTRY_PRESENT (1ull << 63)

/* PAGEMAP_SCAN, from the same document; <linux/fs.h> of older systems lacks it. */
struct pm_scan_arg {
	uint64_t size;
	uint64_t flags;
	uint64_t start;
	uint64_t end;
	uint64_t walk_end;
	uint64_t vec;
	uint64_t vec_len;
	uint64_t max_pages;
	uint64_t category_inverted;
	uint64_t category_mask;
	uint64_t category_anyof_mask;
	uint64_t return_mask;
};

struct page_region {
	uint64_t start;
	uint64_t end;
	uint64_t categories;
};

#define SCAN_REQUEST _IOWR('f', 16, struct pm_scan_arg)
#define SCAN_WRITTEN (1ull << 1) /* clear: write-protected by userfaultfd */
#define SCAN_FILE (1ull << 2)
#define SCAN_PRESENT (1ull << 3)
#define SCAN_SWAPPED (1ull << 4)
#define SCAN_ZERO (1ull << 5)
#define SCAN_HUGE (1ull << 6)
#define SCAN_GUARD (1ull << 8) /* Linux 6.15 */
#define SCAN_CATEGORIES \
	(SCAN_WRITTEN | SCAN_FILE | SCAN_PRESENT | SCAN_SWAPPED | SCAN_ZERO | SCAN_HUGE)

/* Together below 4 KiB: a walk runs on the signal stack. */
#define SCAN_REGIONS 64
#define ENTRIES 224

static long scan(const struct pagemap *pagemap, uintptr_t start, uintptr_t end,
		 struct page_region *regions, uint64_t count, uint64_t *walk_end)
{
	struct pm_scan_arg argument = {
		.size = sizeof(argument),
		.start = start,
		.end = end,
		.vec = (uintptr_t)regions,
		.vec_len = count,
		.category_anyof_mask = SCAN_PRESENT | SCAN_SWAPPED,
		.return_mask = pagemap->categories,
	};
	long n = sys_call3(SYS_ioctl, pagemap->fd, SCAN_REQUEST, &argument);
	*walk_end = argument.walk_end;
	return n;
}

static page_flags_t flags_of_categories(uint64_t categories)
{
	page_flags_t flags = 0;
	/* To the scan, guard pages and write-protection markers are swapped pages. */
	if (categories & SCAN_GUARD)
		return 0;
	if ((categories & SCAN_SWAPPED) && !(categories & SCAN_WRITTEN))
		return PAGE_MARKER;
	if (categories & SCAN_PRESENT)
		flags |= PAGE_PRESENT;
	if (categories & SCAN_SWAPPED)
		flags |= PAGE_SWAPPED;
	if (categories & SCAN_FILE)
		flags |= PAGE_FILE;
	if (categories & SCAN_ZERO)
		flags |= PAGE_ZERO;
	if (categories & SCAN_HUGE)
		flags |= PAGE_HUGE;
	return flags;
}

/* Everything but the zero page, which an entry does not show. */
static page_flags_t flags_of_entry(uint64_t entry)
{
	page_flags_t flags = 0;
	if (entry & ENTRY_GUARD)
		return 0;
	if ((entry & ENTRY_SWAPPED) && (entry & ENTRY_WRITE_PROTECTED))
		return PAGE_MARKER;
	if (entry & ENTRY_PRESENT)
		flags |= PAGE_PRESENT;
	if (entry & ENTRY_SWAPPED)
		flags |= PAGE_SWAPPED;
	if (entry & ENTRY_FILE)
		flags |= PAGE_FILE;
	else if ((entry & ENTRY_PRESENT) && (entry & ENTRY_EXCLUSIVE))
		flags |= PAGE_EXCLUSIVE;
	return flags;
}

static bool may_be_zero(page_flags_t flags)
{
	return (flags & (PAGE_PRESENT | PAGE_FILE | PAGE_EXCLUSIVE)) == PAGE_PRESENT;
}

/* Only these are asked for exclusiveness, and only these can be a huge zero page in disguise. */
static bool is_present_anonymous(page_flags_t flags)
{
	return (flags & (PAGE_PRESENT | PAGE_FILE | PAGE_ZERO)) == PAGE_PRESENT;
}

/*
 * Complete what a scan said of a present anonymous page by the page's entry. Older kernels' scans
 * do not recognise the huge zero page, but all entries show it as a file page.
 */
static page_flags_t with_entry(page_flags_t flags, uint64_t entry)
{
	page_flags_t seen = flags_of_entry(entry);
	if ((flags & PAGE_HUGE) && (seen & PAGE_FILE))
		return flags | PAGE_ZERO;
	return flags | (seen & PAGE_EXCLUSIVE);
}

/* Read entries from the page of address on. Returns how many, or -errno. */
static long read_entries(const struct pagemap *pagemap, uintptr_t address, uint64_t *entries,
			 uint64_t count)
{
	long n;
	do
		n = sys_call4(SYS_pread64, pagemap->fd, entries, count * sizeof(*entries),
			      (address >> PAGE_SHIFT) * sizeof(*entries));
	while (n == -EINTR);
	if (n < 0)
		return n;
	return n < (long)sizeof(*entries) ? -ESRCH : n / (long)sizeof(*entries);
}

int pagemap_open(struct pagemap *pagemap, const char *path)
{
	struct page_region region;
	uint64_t walk_end;
	long fd = sys_call4(SYS_openat, AT_FDCWD, path, O_RDONLY | O_CLOEXEC, 0);
	long n;

	*pagemap = (struct pagemap){.fd = -1};
	if (sys_failed(fd))
		return (int)fd;
	pagemap->fd = (int)fd;
	pagemap->categories = SCAN_CATEGORIES | SCAN_GUARD;
	n = scan(pagemap, 0, PAGE_SIZE, &region, 1, &walk_end);
	if (n == -EINVAL) {
		pagemap->categories = SCAN_CATEGORIES;
		n = scan(pagemap, 0, PAGE_SIZE, &region, 1, &walk_end);
	}
	pagemap->scan = n >= 0;
	return 0;
}

void pagemap_close(struct pagemap *pagemap)
{
	if (pagemap->fd >= 0)
		sys_call1(SYS_close, pagemap->fd);
	pagemap->fd = -1;
}

static int page_by_scan(const struct pagemap *pagemap, uintptr_t address, page_flags_t *flags)
{
	struct page_region region;
	uint64_t walk_end;
	long n = scan(pagemap, address, address + PAGE_SIZE, &region, 1, &walk_end);
	if (n < 0)
		return (int)n;
	*flags = n ? flags_of_categories(region.categories) : 0;
	return 0;
}

static int page_by_entry(const struct pagemap *pagemap, uintptr_t address, page_flags_t *flags)
{
	uint64_t entry;
	long n = read_entries(pagemap, address, &entry, 1);
	if (n < 0)
		return (int)n;
	*flags = flags_of_entry(entry);
	return 0;
}

int pagemap_page(const struct pagemap *pagemap, uintptr_t address, unsigned want,
		 page_flags_t *flags)
{
	uint64_t entry;
	int error;
	long n;

	address = page_floor(address);
	if (!pagemap->scan || !(want & PAGEMAP_WANT_ZERO)) {
		error = page_by_entry(pagemap, address, flags);
		if (!error && (want & PAGEMAP_WANT_ZERO) && may_be_zero(*flags))
			*flags |= PAGE_ZERO | PAGE_ZERO_INFERRED;
		return error;
	}
	error = page_by_scan(pagemap, address, flags);
	if (error || !(want & PAGEMAP_WANT_EXCLUSIVE) || !is_present_anonymous(*flags))
		return error;
	n = read_entries(pagemap, address, &entry, 1);
	if (n < 0)
		return (int)n;
	*flags = with_entry(*flags, entry);
	return 0;
}

/* The run being grown; handed out when a page with other flags follows. */
struct runs {
	pagemap_run_fn fn;
	void *context;
	uintptr_t start, end;
	page_flags_t flags;
};

static void runs_finish(struct runs *runs)
{
	if (runs->flags && runs->start < runs->end)
		runs->fn(runs->start, runs->end, runs->flags, runs->context);
	runs->start = runs->end;
}

static void runs_add(struct runs *runs, uintptr_t start, uintptr_t end, page_flags_t flags)
{
	if (start == runs->end && flags == runs->flags) {
		runs->end = end;
		return;
	}
	runs_finish(runs);
	runs->start = start;
	runs->end = end;
	runs->flags = flags;
}

/* A window of entries, moved along with the walk. */
struct window {
	uintptr_t start, end; /* addresses whose entries are in it */
	uint64_t entries[ENTRIES];
};

static int window_move(const struct pagemap *pagemap, struct window *window, uintptr_t start,
		       uintptr_t end)
{
	uint64_t count = (end - start) >> PAGE_SHIFT;
	long n = read_entries(pagemap, start, window->entries, count < ENTRIES ? count : ENTRIES);
	if (n < 0)
		return (int)n;
	window->start = start;
	window->end = start + ((uintptr_t)n << PAGE_SHIFT);
	return 0;
}

static uint64_t window_entry(const struct window *window, uintptr_t address)
{
	return window->entries[(address - window->start) >> PAGE_SHIFT];
}

/* A walk by PAGEMAP_SCAN. Pages below `done` have been handed out. */
struct scan_walk {
	const struct pagemap *pagemap;
	struct runs *runs;
	bool exclusive;
	uintptr_t done;
	struct window window;
	struct page_region regions[SCAN_REGIONS];
};

/* Entries are read ahead up to `limit`, for the regions to come. */
static int walk_entries(struct scan_walk *walk, uintptr_t start, uintptr_t end, uintptr_t limit,
			page_flags_t flags)
{
	struct window *window = &walk->window;

	for (uintptr_t page = start; page < end; page += PAGE_SIZE) {
		page_flags_t all;
		if (page < window->start || page >= window->end) {
			int error = window_move(walk->pagemap, window, page, limit);
			if (error)
				return error;
		}
		all = with_entry(flags, window_entry(window, page));
		if (!walk->exclusive)
			all &= (page_flags_t)~PAGE_EXCLUSIVE;
		runs_add(walk->runs, page, page + PAGE_SIZE, all);
	}
	return 0;
}

static int walk_region(struct scan_walk *walk, const struct page_region *region, uintptr_t limit)
{
	page_flags_t flags = flags_of_categories(region->categories);
	uintptr_t start = region->start > walk->done ? region->start : walk->done;
	uintptr_t end = region->end;

	if (start >= end)
		return 0;
	walk->done = end;
	if (is_present_anonymous(flags) && (walk->exclusive || (flags & PAGE_HUGE)))
		return walk_entries(walk, start, end, limit, flags);
	if (flags)
		runs_add(walk->runs, start, end, flags);
	return 0;
}

/*
 * walk_end can lie below the end of the last region returned, and a scan from there returns the
 * same pages again. So the walk goes on from the further of the two, and clips.
 */
static int runs_by_scan(const struct pagemap *pagemap, uintptr_t start, uintptr_t end,
			bool exclusive, struct runs *runs)
{
	struct scan_walk walk;

	walk.pagemap = pagemap;
	walk.runs = runs;
	walk.exclusive = exclusive;
	walk.done = start;
	walk.window.start = walk.window.end = 0;
	while (walk.done < end) {
		uintptr_t before = walk.done;
		uint64_t walk_end;
		long n = scan(pagemap, before, end, walk.regions, SCAN_REGIONS, &walk_end);
		if (n == -EINTR)
			continue;
		if (n < 0)
			return (int)n;
		for (long i = 0; i < n; i++) {
			int error = walk_region(&walk, &walk.regions[i], walk.regions[n - 1].end);
			if (error)
				return error;
		}
		if (walk_end > walk.done)
			walk.done = walk_end;
		if (walk.done == before)
			break;
	}
	return 0;
}

static int runs_by_entries(const struct pagemap *pagemap, uintptr_t start, uintptr_t end,
			   bool exclusive, struct runs *runs)
{
	struct window window;

	while (start < end) {
		int error = window_move(pagemap, &window, start, end);
		if (error)
			return error;
		for (; start < window.end; start += PAGE_SIZE) {
			page_flags_t flags = flags_of_entry(window_entry(&window, start));
			if (may_be_zero(flags))
				flags |= PAGE_ZERO | PAGE_ZERO_INFERRED;
			if (!exclusive)
				flags &= (page_flags_t)~PAGE_EXCLUSIVE;
			if (flags)
				runs_add(runs, start, start + PAGE_SIZE, flags);
		}
	}
	return 0;
}

int pagemap_runs(const struct pagemap *pagemap, uintptr_t start, uintptr_t end, bool exclusive,
		 pagemap_run_fn fn, void *context)
{
	struct runs runs = {.fn = fn, .context = context};
	int error;

	start = page_floor(start);
	end = page_ceil(end);
	if (pagemap->scan)
		error = runs_by_scan(pagemap, start, end, exclusive, &runs);
	else
		error = runs_by_entries(pagemap, start, end, exclusive, &runs);
	runs_finish(&runs);
	return error;
}
