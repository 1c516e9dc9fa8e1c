/*
 * First writes of a recording counted by process, stack and what else an exporter tells apart.
 * Single-threaded.
 */
#ifndef COWSPY_TOOLS_SAMPLES_H
#define COWSPY_TOOLS_SAMPLES_H

#include "model.h"
#include "selection.h"

struct sample {
	uint32_t process, stack;
	/* Where they were told apart; else of the first. */
	uint8_t kind, cause, side;
	const char *region; /* name of the mapping; NULL: anonymous */
	uint64_t writes;    /* pages */
};

struct samples {
	struct sample *list; /* in order of processes in the tree, then of first appearance */
	size_t count, capacity;
	struct table index;
};

/* With `apart`, kinds, causes, sides and regions are told apart. False without memory. */
bool samples_collect(struct samples *samples, struct model *model,
		     const struct selection *selection, bool apart);
void samples_free(struct samples *samples);

#endif
