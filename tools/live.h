/*
 * A recording that is still written, for `cowspy top`: what was copied since the last fork and in
 * the last moment, by process, mapping and stack. Single-threaded.
 */
#ifndef COWSPY_TOOLS_LIVE_H
#define COWSPY_TOOLS_LIVE_H

#include "report.h"

enum live_part { LIVE_PROCESSES, LIVE_MAPPINGS, LIVE_STACKS, LIVE_PARTS };

struct live {
	const char *path; /* of the recording; of the caller */
	bool from_start;  /* all first writes, not only those since each process' last fork */
	uint64_t window;  /* nanoseconds that rates are taken over */
	unsigned shown;   /* a bit for each part that is shown */

	struct model model;
	uint64_t now;      /* CLOCK_MONOTONIC, when the recording was read */
	uint64_t measured; /* nanoseconds of the window that the recording covers */
	struct report totals[LIVE_PARTS], recent[LIVE_PARTS]; /* only their groups */
};

void live_start(struct live *live, const char *path);

/* Read the recording anew. 0 or -errno as from model_add. */
int live_read(struct live *live);

/* Count again what was read, after from_start was changed. 0 or -ENOMEM. */
int live_count(struct live *live);

/* False when no process of it runs any more. */
bool live_runs(const struct live *live);

/*
 * Print what was read in at most so many lines (0: ten rows of each part). The first line and each
 * one behind an empty line is a heading.
 */
void live_print(struct live *live, struct text *text, unsigned lines);

void live_free(struct live *live);

#endif
