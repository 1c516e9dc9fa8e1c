/*
 * First writes of a recording, counted by what they have in common. Single-threaded.
 */
#ifndef COWSPY_TOOLS_GROUPS_H
#define COWSPY_TOOLS_GROUPS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "model.h"
#include "selection.h"

enum group_by {
	BY_STACK,
	BY_FUNCTION, /* innermost, inlined ones too */
	BY_MODULE,   /* of the innermost frame */
	BY_MAPPING,  /* by its name; anonymous ones by their range */
	BY_OBJECT,   /* the variable of a module, else the mapping */
	BY_PROCESS,
	BY_TIME,  /* since the last fork: enum period */
	BY_LABEL, /* the last label before, of whichever process; the same text is one */
	BY_SLICE, /* of the same length */
	GROUPINGS
};

extern const char *const group_by_names[GROUPINGS];

/* How long after the last fork of its process, which made it or which it made. */
enum period {
	PERIOD_BEFORE, /* any fork */
	PERIOD_10_MS,
	PERIOD_100_MS,
	PERIOD_1_S,
	PERIOD_10_S,
	PERIOD_1_MIN,
	PERIOD_10_MIN,
	PERIOD_LATER,
	PERIODS
};

extern const char *const period_names[PERIODS];

enum period period_of(const struct model_process *process, const struct model_write *write);

struct group {
	uint64_t key;
	uint64_t writes, copied; /* first writes, which are pages; those that are copies */
	uint64_t bytes, copied_bytes;
	uint64_t kinds[MODEL_KINDS], causes[MODEL_CAUSES];
	uint64_t first; /* time of the first one */
	/* Of the first one: what the name of the group is taken from. */
	uint32_t process, stack, mapping;
	size_t write;                                /* its index */
	uint64_t compared, identical, changed_bytes; /* pages, pages, bytes: with COWSPY_COMPARE */
	uint64_t compared_bytes;
	uint64_t uncertain; /* whose stack may be another thread's */
	uint64_t other;     /* whose stack was one too many to be kept */
};

struct groups {
	enum group_by by;
	struct group *list;
	size_t count, capacity;
	struct group total;
	uint64_t begin, end, slice; /* of the recording; of a slice, in nanoseconds */
	struct table index;
	const struct model_label **labels; /* for BY_LABEL, in order of time */
	size_t label_count;
};

/*
 * Count what selection takes. Most copied bytes first, then most bytes; slices in order of time.
 * False without memory.
 */
bool groups_collect(struct groups *groups, struct model *model, const struct selection *selection,
		    enum group_by by);
void groups_free(struct groups *groups);

/* The last label before a time, or NULL. */
const struct model_label *groups_label_before(const struct groups *groups, uint64_t time);

/* The innermost frame of a stack, 0 for none. */
static inline uint32_t stack_leaf(const struct model *model, uint32_t stack)
{
	return model->stacks[stack].depth ? model->stacks[stack].frames[0] : 0;
}

#endif
