#include "frames.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/sys.h"

#define CHUNK 4096 /* pages whose entries are read at once */
#define WINDOW 32  /* frames whose flags are read at once: neighbours are common */

/* Bits as include/uapi/linux/kernel-page-flags.h numbers them. */
static const char *const flag_names[FRAME_FLAGS] = {
	"locked",         "error",     "referenced",  "uptodate",
	"dirty",          "lru",       "active",      "slab",
	"writeback",      "reclaim",   "buddy",       "mmap",
	"anon",           "swapcache", "swapbacked",  "compound_head",
	"compound_tail",  "huge",      "unevictable", "hwpoison",
	"nopage",         "ksm",       "thp",         "offline",
	"zero_page",      "idle",      "pgtable",     [32] = "reserved",
	[33] = "mlocked",
};

const char *frames_flag_name(unsigned bit)
{
	return bit < FRAME_FLAGS ? flag_names[bit] : NULL;
}

int frames_entries(int pagemap_fd, uintptr_t address, uint64_t *entries, size_t pages)
{
	char *next = (char *)entries;
	size_t left = pages * sizeof(*entries);
	off_t offset = (off_t)(address / PAGE_SIZE * sizeof(*entries));

	while (left) {
		ssize_t n = pread(pagemap_fd, next, left, offset);
		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return n < 0 ? -errno : -ESRCH;
		next += n;
		offset += n;
		left -= (size_t)n;
	}
	return 0;
}

/* Without privilege the kernel shows frame number 0 for every page. */
static bool numbers_are_shown(void)
{
	volatile char on_stack = 1;
	uint64_t entry = 0;
	int fd = open("/proc/self/pagemap", O_RDONLY | O_CLOEXEC);
	bool shown = fd >= 0 &&
		     frames_entries(fd, page_floor((uintptr_t)&on_stack), &entry, 1) == 0 &&
		     ENTRY_IS_PRESENT(entry) && ENTRY_FRAME(entry);
	if (fd >= 0)
		close(fd);
	return shown;
}

static int open_table(const char *path, int *error)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	*error = fd < 0 ? errno : 0;
	return fd;
}

void frames_open(struct frames *frames)
{
	frames->numbers = numbers_are_shown();
	frames->flags_fd = open_table("/proc/kpageflags", &frames->flags_error);
	frames->counts_fd = open_table("/proc/kpagecount", &frames->counts_error);
}

void frames_close(struct frames *frames)
{
	if (frames->flags_fd >= 0)
		close(frames->flags_fd);
	if (frames->counts_fd >= 0)
		close(frames->counts_fd);
}

static const char *table_missing(const char *path, int error, char *buffer, size_t size)
{
	const char *reason = strerror(error);
	if (error == EACCES || error == EPERM)
		reason = "needs root, or CAP_DAC_READ_SEARCH";
	else if (error == ENOENT)
		reason = "the kernel was built without CONFIG_PROC_PAGE_MONITOR, or it is hidden";
	snprintf(buffer, size, "%s: %s", path, reason);
	return buffer;
}

const char *frames_missing(const struct frames *frames, unsigned i, char *buffer, size_t size)
{
	if (!frames->numbers && i-- == 0)
		return "frame numbers: need CAP_SYS_ADMIN in the initial user namespace; no sysctl "
		       "grants them";
	if (frames->flags_fd < 0 && i-- == 0)
		return table_missing("/proc/kpageflags", frames->flags_error, buffer, size);
	if (frames->counts_fd < 0 && i-- == 0)
		return table_missing("/proc/kpagecount", frames->counts_error, buffer, size);
	return NULL;
}

/* A few words of a table indexed by frame number. */
struct table {
	int fd;
	uint64_t first, count;
	uint64_t words[WINDOW];
};

static uint64_t table_word(struct table *table, uint64_t frame)
{
	if (table->fd < 0 || !frame)
		return 0;
	if (frame < table->first || frame >= table->first + table->count) {
		ssize_t n = pread(table->fd, table->words, sizeof(table->words),
				  (off_t)(frame * sizeof(uint64_t)));
		table->first = frame;
		table->count = n > 0 ? (uint64_t)n / sizeof(uint64_t) : 0;
		if (!table->count)
			return 0;
	}
	return table->words[frame - table->first];
}

struct surveyor {
	struct table flags, counts;
	struct survey *survey;
	frame_fn fn;
	void *context;
};

static void survey_page(struct surveyor *surveyor, uintptr_t address, char letter, uint64_t entry)
{
	struct survey *survey = surveyor->survey;
	uint64_t frame = ENTRY_FRAME(entry), flags, count;

	if (!ENTRY_IS_PRESENT(entry))
		return;
	survey->present++;
	survey->only_here += ENTRY_IS_ONLY_HERE(entry);
	flags = table_word(&surveyor->flags, frame);
	for (uint64_t rest = flags; rest; rest &= rest - 1)
		survey->flagged[__builtin_ctzll(rest)]++;
	count = table_word(&surveyor->counts, frame);
	survey->mapped_once += count == 1;
	survey->mapped_more += count > 1;
	if (surveyor->fn)
		surveyor->fn(address, letter, entry, flags, count, surveyor->context);
}

int frames_survey(const struct frames *frames, int pagemap_fd, const struct letter_runs *runs,
		  struct survey *survey, frame_fn fn, void *context)
{
	static uint64_t entries[CHUNK];
	struct surveyor surveyor = {.flags.fd = frames->numbers ? frames->flags_fd : -1,
				    .counts.fd = frames->numbers ? frames->counts_fd : -1,
				    .survey = survey,
				    .fn = fn,
				    .context = context};

	for (size_t i = 0; i < runs->count; i++) {
		const struct letter_run *run = &runs->run[i];
		for (uintptr_t next = run->start; next < run->end; next += CHUNK * PAGE_SIZE) {
			size_t pages = (run->end - next) >> PAGE_SHIFT;
			int error;
			if (pages > CHUNK)
				pages = CHUNK;
			error = frames_entries(pagemap_fd, next, entries, pages);
			if (error)
				return error;
			for (size_t page = 0; page < pages; page++)
				survey_page(&surveyor, next + page * PAGE_SIZE, run->letter,
					    entries[page]);
		}
	}
	return 0;
}
