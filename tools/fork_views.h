/*
 * The forks of a recording, and what each side of each has first-written since, until its next fork.
 * Single-threaded.
 */
#ifndef COWSPY_TOOLS_FORK_VIEWS_H
#define COWSPY_TOOLS_FORK_VIEWS_H

#include "groups.h"

/* In pages. `reuse` is the lost chance of the last one that has a page: it pays no copy. */
struct fork_side {
	uint32_t process; /* MODEL_NONE: it has no trace here */
	uint32_t epoch;
	uint64_t copied; /* file, zero and fork */
	uint64_t in_second, in_minute;
	uint64_t shared; /* copied since a fork shared it: of `copied` */
	uint64_t reuse, fill;
};

struct fork_view {
	uint64_t time;
	uint32_t child;                /* pid */
	struct fork_side parent, side; /* of the parent; of the child */
};

struct fork_views {
	struct fork_view *list; /* in order of time */
	size_t count, capacity;
};

/* Count what selection takes. False without memory. */
bool fork_views_collect(struct fork_views *views, struct model *model,
			const struct selection *selection);
void fork_views_free(struct fork_views *views);

/* Keep only the `most` forks with the most copied pages. */
void fork_views_limit(struct fork_views *views, size_t most);

#endif
