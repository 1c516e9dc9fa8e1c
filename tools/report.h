/*
 * What `cowspy report` has collected of a recording, and its two forms of output.
 * Single-threaded. Strings of the traced program are escaped here.
 */
#ifndef COWSPY_TOOLS_REPORT_H
#define COWSPY_TOOLS_REPORT_H

#include "base/text.h"
#include "groups.h"

struct report_options {
	struct selection selection;
	enum group_by by;
	uint64_t limit;  /* groups and processes shown; 0: all */
	uint64_t frames; /* of a stack shown; 0: all */
	bool json;
};

struct report {
	struct model *model;
	const struct report_options *options;
	struct groups groups;    /* as asked for */
	struct groups processes; /* by process; index: that of the process */
	struct groups functions; /* by function: for the answer */
	size_t *process_group;   /* of each process, SIZE_MAX: nothing of it was selected */
};

/* What the kernel said of all processes at their last snapshots, in pages. */
struct report_truth {
	uint64_t snapshots, failed, copied, attributed;
};

/* False without memory. */
bool report_collect(struct report *report, struct model *model,
		    const struct report_options *options);
void report_free(struct report *report);

/* How many of count are shown. */
size_t report_shown(const struct report *report, size_t count);

struct report_truth report_truth(const struct report *report);

/* Bytes still shared with other processes since a fork, at the last snapshot. */
uint64_t report_still_shared(const struct model_process *process);

/* The answer in one sentence, without a full stop. */
void report_answer(const struct report *report, struct text *text);

/* "child 4251", "python3 (pid 4250)". */
void report_process_name(const struct model_process *process, struct text *text);

/* The function of a frame with its module, or the module and the address in it. */
void report_function(struct model *model, uint32_t frame, struct text *text);

/* The innermost function of a stack; those without a name are one in each module. */
void report_leaf_function(struct model *model, uint32_t stack, struct text *text);

/* What a group has in common. */
void report_group_name(const struct report *report, const struct group *group, struct text *text);

void report_print(const struct report *report, struct text *text);
void report_print_limits(const struct report *report, struct text *text);
int report_print_json(const struct report *report);

#endif
