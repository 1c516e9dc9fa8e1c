/*
 * Two recordings compared: the same stacks and functions are found by their names, since addresses
 * differ from run to run and from build to build. Single-threaded.
 */
#ifndef COWSPY_TOOLS_DIFF_H
#define COWSPY_TOOLS_DIFF_H

#include "base/text.h"
#include "model.h"
#include "recording_options.h"

enum { DIFF_BEFORE, DIFF_AFTER, DIFF_SIDES };

struct diff_row {
	uint64_t bytes[DIFF_SIDES];
	/* Where the name is taken from: of the later recording that has it. */
	unsigned side;
	uint32_t stack;
};

struct diff_rows {
	struct diff_row *list; /* the largest growth first */
	size_t count, capacity;
	struct table index;
};

struct diff {
	struct model *models; /* DIFF_SIDES of them */
	struct selection selection;
	bool copies; /* only copies are counted: nothing else was asked for, and there are some */
	struct diff_rows stacks, functions;
	uint64_t bytes[DIFF_SIDES];
	struct intern strings;
};

/* Count and sort. False without memory. */
bool diff_collect(struct diff *diff);
void diff_free(struct diff *diff);

/* Growth in percent; infinite when there was nothing before. */
double diff_percent(uint64_t before, uint64_t after);

struct diff_options {
	struct recording_options common;
	bool stacks, functions; /* which tables; none: both */
	double fail_above;      /* percent; negative: never */
};

void diff_print(const struct diff *diff, const struct diff_options *options, struct text *text);
int diff_print_json(const struct diff *diff, const struct diff_options *options);

#endif
