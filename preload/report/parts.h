/*
 * The parts of a report, each a file of its own. They belong to one report_write and its thread.
 */
#ifndef COWSPY_REPORT_PARTS_H
#define COWSPY_REPORT_PARTS_H

#include "base/list.h"
#include "base/text.h"
#include "cowspy/trace.h"
#include "observe/symbols.h"
#include "report/snapshot.h"

/* An element of a list to be shown in another order: most of `major` first, then least `minor`. */
struct rank {
	uint64_t major, minor;
	size_t index;
};

struct report {
	struct text text;
	const struct snapshot *snapshot;
	struct list mapping_ranks; /* tracked mappings, most copied pages first */
	struct list stack_ranks;   /* stack groups, most copied pages first */
	struct symbols symbols;    /* of the stacks to be shown */
	uint64_t time_zero;
	const struct trace_cost *cost;
};

int rank_compare(const void *left, const void *right);

/* "25,602" */
void report_grouped(struct text *text, uint64_t value);

/* "+1.234 s" since time_zero */
void report_moment(struct report *report, uint64_t time);

/* "[anonymous]", a path, or the name that its owner gave. */
void report_mapping_name(struct report *report, const struct mapping *mapping);
void report_range(struct report *report, const struct mapping *mapping);

/* Why a tracked mapping is not protected; NULL when it is. */
const char *report_limit(const struct mapping *mapping);

/* stacks.c: order the stacks and name their functions; before the others. */
void report_stacks_prepare(struct report *report);
/* "; 71.3 % first written by fill_table (app)" or nothing */
void report_stacks_answer(struct report *report);
void report_stacks(struct report *report);

/* tables.c */
void report_tables_prepare(struct report *report);
void report_mappings(struct report *report);
/* page_maps.c */
void report_page_maps(struct report *report);
/* labels.c */
void report_labels(struct report *report);
/* totals.c */
void report_totals(struct report *report);
void report_coverage(struct report *report);
/* cost.c */
void report_cost(struct report *report);

#endif
