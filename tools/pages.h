/* What `cowspy pages` has read of a process, and its two forms of output. */
#ifndef COWSPY_TOOLS_PAGES_H
#define COWSPY_TOOLS_PAGES_H

#include <stdbool.h>
#include <stdint.h>

#include "base/text.h"
#include "frames.h"
#include "process.h"
#include "states.h"

#define MAP_ROWS 64 /* rows of a map unless --all */

struct pages_options {
	pid_t pid;
	uintptr_t from, to;
	bool json, all, list_frames;
	double interval; /* --watch; 0: once */
	unsigned rounds; /* --count; 0: until the process ends */
};

/* One look. The arrays run parallel to process.mappings. */
struct pages_view {
	struct process process;
	struct frames frames;
	struct states *states;
	struct survey *surveys;
	struct states total;
	struct survey survey;
	struct smaps smaps;
	uint64_t bytes;      /* of all mappings that have pages */
	unsigned raw;        /* mappings of raw frames, left out */
	unsigned incomplete; /* mappings that changed or could not be read to their end */
	bool clipped;        /* smaps covers more than the range */
};

/* Returns 0 or -errno; what was read before an error stays. */
int pages_read(struct pages_view *view, const struct pages_options *options);
void pages_free(struct pages_view *view);

uint64_t states_copied(const struct states *states);

void pages_print(const struct pages_view *view, const struct pages_options *options,
		 struct text *text);
void pages_print_changes(const struct pages_view *view, const struct pages_view *before,
			 const struct pages_options *options, double seconds, struct text *text);
int pages_print_json(const struct pages_view *view, const struct pages_options *options,
		     double seconds);

#endif
