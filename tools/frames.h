/*
 * Physical frames behind pages: frame numbers from the pagemap, their flags and map counts from
 * /proc/kpageflags and /proc/kpagecount. All three need privilege; what is missing can be said.
 */
#ifndef COWSPY_TOOLS_FRAMES_H
#define COWSPY_TOOLS_FRAMES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "states.h"

#define FRAME_FLAGS 64

/* Entries of the pagemap. */
#define ENTRY_FRAME(entry) ((entry) & ((1ull << 55) - 1))
#define ENTRY_IS_PRESENT(entry) ((entry) >> 63 & 1)
#define ENTRY_IS_SWAPPED(entry) ((entry) >> 62 & 1)
#define ENTRY_IS_ONLY_HERE(entry) ((entry) >> 56 & 1)

struct frames {
	bool numbers;    /* the pagemap shows frame numbers to us */
	int flags_fd;    /* -1: not readable */
	int flags_error; /* errno of that */
	int counts_fd;
	int counts_error;
};

/* Sums over present pages. */
struct survey {
	uint64_t only_here; /* bit 56 of the entry, file pages too */
	uint64_t present;
	uint64_t flagged[FRAME_FLAGS]; /* by bit of /proc/kpageflags */
	uint64_t mapped_once, mapped_more;
};

/* Called for each present page of a survey; flags and count are 0 where unknown. */
typedef void (*frame_fn)(uintptr_t address, char letter, uint64_t entry, uint64_t flags,
			 uint64_t count, void *context);

void frames_open(struct frames *frames);
void frames_close(struct frames *frames);

/* The i-th reason why something is missing, NULL after the last. The text is in `buffer`. */
const char *frames_missing(const struct frames *frames, unsigned i, char *buffer, size_t size);

/* The name of a flag of /proc/kpageflags, NULL for one without a name. */
const char *frames_flag_name(unsigned bit);

/* Read entries for `pages` pages from address on. Returns 0 or -errno (-ESRCH: process gone). */
int frames_entries(int pagemap_fd, uintptr_t address, uint64_t *entries, size_t pages);

/* Survey the pages in runs. fn may be NULL. Returns 0 or -errno. */
int frames_survey(const struct frames *frames, int pagemap_fd, const struct letter_runs *runs,
		  struct survey *survey, frame_fn fn, void *context);

#endif
