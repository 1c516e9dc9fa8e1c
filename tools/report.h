/*
 * What `cowspy report` has collected of a recording, and its two forms of output.
 * Single-threaded. Strings of the traced program are escaped here.
 */
#ifndef COWSPY_TOOLS_REPORT_H
#define COWSPY_TOOLS_REPORT_H

#include <json-c/json.h>

#include "base/text.h"
#include "groups.h"
#include "recording_options.h"

struct report_options {
	struct recording_options common;
	enum group_by by;
	bool pages;   /* every page with its first writers */
	bool callers; /* the tree of calls, from the writers outwards */
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

/* What a group has in common; of other groups than the report's. */
void report_group_name(const struct report *report, const struct group *group, struct text *text);
void report_name_in(const struct report *report, const struct groups *groups,
		    const struct group *group, struct text *text);

/* "... 12 more: --limit 0 shows all", or nothing for 0. */
void report_print_left_out(uint64_t count, struct text *text);

/* A first write, in the list of all that were selected: by process, address and time. */
struct page_write {
	uint32_t rank; /* of the process in the tree */
	uint32_t process;
	size_t write;
};

/* As many as report->groups.total.writes. To be freed; NULL without memory. */
struct page_write *report_pages_collect(const struct report *report);

void report_print(const struct report *report, struct text *text);
void report_print_forks(const struct report *report, struct text *text);
void report_print_pages(const struct report *report, struct text *text);
void report_print_callers(const struct report *report, struct text *text);
void report_print_cost(const struct report *report, struct text *text);
void report_print_limits(const struct report *report, struct text *text);

int report_print_json(const struct report *report);
struct json_object *report_json_forks(const struct report *report);
struct json_object *report_json_callers(const struct report *report);
/* NULL when the trace does not say. */
struct json_object *report_json_cost(const struct model_process *process);
/* Seconds since the beginning of the recording. */
void report_json_seconds(struct json_object *object, const char *key, const struct report *report,
			 uint64_t time);

#endif
