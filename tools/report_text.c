/* The report as text: the answer, kinds, processes, groups, what was not seen. */
#include <stdlib.h>
#include <string.h>

#include "model_names.h"
#include "output.h"
#include "report.h"

#define NAME_COLUMN 54
#define INDENT_MOST 12

/* ---- kinds ---- */

static const char *const kind_meanings[MODEL_KINDS] = {
	[TRACE_KIND_UNKNOWN] = "the kernel could not be asked",
	[TRACE_KIND_FILE] = "copied from a file's page cache",
	[TRACE_KIND_ZERO] = "read before, copied from the zero page",
	[TRACE_KIND_FILL] = "first touch: a new page, no copy",
	[TRACE_KIND_FORK] = "copied, since a fork had shared it",
	[TRACE_KIND_REUSE] = "written in place after a fork, no copy",
	[MODEL_KINDS - 1] = "of a newer version of the library",
};

static void print_kinds(const struct report *report, struct text *text)
{
	static const uint8_t order[] = {TRACE_KIND_FILE, TRACE_KIND_ZERO,  TRACE_KIND_FORK,
					TRACE_KIND_FILL, TRACE_KIND_REUSE, TRACE_KIND_UNKNOWN,
					MODEL_KINDS - 1};
	const struct group *total = &report->groups.total;

	text_string(text, "\nfirst writes ");
	text_decimal(text, total->writes);
	text_string(text, " (pages)\n");
	for (size_t i = 0; i < sizeof(order); i++) {
		unsigned kind = order[i];
		if (!total->kinds[kind] && (kind == TRACE_KIND_UNKNOWN || kind == MODEL_KINDS - 1))
			continue;
		text_string(text, "  ");
		text_string(text, model_kind_names[kind]);
		text_pad(text, 10);
		text_decimal_right(text, total->kinds[kind], 10);
		text_percent_right(text, total->kinds[kind], total->writes, 9);
		text_string(text, "   ");
		text_string(text, kind_meanings[kind]);
		text_character(text, '\n');
	}
}

/* "fork 24570, file 6": those of several names that are not 0. */
static void print_counts(struct text *text, const char *const *names, const uint64_t *counts,
			 unsigned count)
{
	const char *separator = "";
	for (unsigned i = 0; i < count; i++) {
		if (!counts[i])
			continue;
		text_string(text, separator);
		text_string(text, names[i]);
		text_character(text, ' ');
		text_decimal(text, counts[i]);
		separator = ", ";
	}
}

static void print_changes(const struct report *report, struct text *text)
{
	const struct group *total = &report->groups.total;

	if (!total->compared)
		return;
	text_string(text, "  amplification: ");
	text_size(text, total->compared_bytes);
	text_string(text, " copied for ");
	text_size(text, total->changed_bytes);
	text_string(text, " of changed bytes (");
	text_percent(text, total->changed_bytes, total->compared_bytes);
	text_string(text, "); ");
	text_percent(text, total->identical, total->compared);
	text_string(text, " of these pages are as they were before: silent stores\n");
	if (total->copied <= total->compared)
		return;
	text_string(text, "  not compared: ");
	text_decimal(text, total->copied - total->compared);
	text_string(text, " pages: no longer copied at the last snapshot, or nobody kept what they "
			  "were (COWSPY_COMPARE)\n");
}

/* ---- processes ---- */

static void print_time_since(uint64_t time, uint64_t begin, struct text *text)
{
	text_character(text, '+');
	text_duration(text, time > begin ? time - begin : 0);
}

static void print_origin(const struct report *report, const struct model_process *process,
			 struct text *text)
{
	const struct trace_header *header = &process->header;
	switch (process->origin) {
	case ORIGIN_FORK:
		text_string(text, "  forked at ");
		print_time_since(header->fork_time ? header->fork_time : header->time,
				 report->groups.begin, text);
		text_string(text, ", epoch ");
		text_decimal(text, header->epoch);
		if (process->parent == MODEL_NONE) {
			text_string(text, ", by ");
			text_decimal(text, header->parent);
			text_string(text, " (not in this recording)");
		}
		break;
	case ORIGIN_EXEC: text_string(text, "  by exec"); break;
	case ORIGIN_PROGRAM: text_string(text, "  started by its parent"); break;
	default: break;
	}
	if (!process->closed)
		text_string(text, ", running or killed");
}

static void print_process(const struct report *report, uint32_t index, struct text *text)
{
	static const struct group none;
	const struct model_process *process = &report->model->processes[index];
	size_t at = report->process_group[index];
	const struct group *group = at == SIZE_MAX ? &none : &report->processes.list[at];
	uint32_t level = process->level < INDENT_MOST ? process->level : INDENT_MOST;

	for (uint32_t i = 0; i <= level; i++)
		text_string(text, "  ");
	report_process_name(process, text);
	text_pad(text, 30);
	text_size_right(text, group->copied_bytes, 11);
	text_size_right(text, group->kinds[TRACE_KIND_FILL] * process->header.page_size, 12);
	text_size_right(text, group->kinds[TRACE_KIND_REUSE] * process->header.page_size, 12);
	if (model_last_snapshot(process))
		text_size_right(text, report_still_shared(process), 14);
	else
		text_right(text, "-", 1, 14);
	print_origin(report, process, text);
	text_character(text, '\n');
}

static void print_processes(const struct report *report, struct text *text)
{
	size_t count = report->model->process_count, shown = report_shown(report, count);

	text_string(text, "\nprocesses");
	text_pad(text, 35);
	text_string(text, "copied  first touch    in place  still shared\n");
	for (size_t i = 0; i < shown; i++)
		print_process(report, report->model->order[i], text);
	report_print_left_out(count - shown, text);
}

/* ---- children without traces ---- */

static int by_copied(const void *left, const void *right)
{
	const struct model_children *a = left, *b = right;
	if (a->sums.copied != b->sums.copied)
		return a->sums.copied > b->sums.copied ? -1 : 1;
	return strcmp(a->command, b->command);
}

static void print_command(const struct model_children *children, struct text *text)
{
	const struct trace_children *sums = &children->sums;
	uint64_t page = children->page_size;

	text_string(text, "  ");
	output_string(text, *children->command ? children->command : "[others]");
	text_pad(text, 20);
	text_decimal_right(text, sums->processes, 9);
	text_decimal_right(text, sums->execs, 8);
	text_size_right(text, (sums->copied - sums->kinds[TRACE_KIND_FILL]) * page, 12);
	text_size_right(text, sums->kinds[TRACE_KIND_FILL] * page, 13);
	text_size_right(text, sums->reused * page, 12);
	text_size_right(text, sums->most * page, 13);
	text_percent_right(text, sums->attributed, sums->copied, 12);
	text_character(text, '\n');
}

static void print_children(const struct report *report, struct text *text)
{
	struct model *model = report->model;
	size_t shown = report_shown(report, model->children_count);

	if (!model->children_count)
		return;
	qsort(model->children, model->children_count, sizeof(*model->children), by_copied);
	text_string(text,
		    "\nchildren without traces of their own (COWSPY_CHILDREN=totals), by "
		    "command, when they ended\n"
		    "                        ended  exec'ed      copied  first touch    in place"
		    "  most in one  attributed\n");
	for (size_t i = 0; i < shown; i++)
		print_command(&model->children[i], text);
	report_print_left_out(model->children_count - shown, text);
}

/* ---- groups ---- */

static void print_line(const struct source_line *line, struct text *text)
{
	if (!line->file)
		return;
	text_string(text, "  ");
	output_string(text, line->file);
	text_character(text, ':');
	text_decimal(text, line->line);
}

static void print_frame(struct model *model, uint32_t frame, struct text *text)
{
	const struct code_place *place = model_place(model, frame);

	for (unsigned i = 0; i + 1 < place->count; i++) {
		if (!place->lines[i].function)
			continue;
		text_string(text, "      ");
		output_string(text, place->lines[i].function);
		text_string(text, " (inlined)");
		print_line(&place->lines[i], text);
		text_character(text, '\n');
	}
	text_string(text, "      ");
	if (place->count && place->lines[place->count - 1].function) {
		output_string(text, place->lines[place->count - 1].function);
		text_string(text, " (");
		output_string(text, model_module_name(model, model->frames[frame].module));
		text_character(text, ')');
	} else {
		output_string(text, model_module_name(model, model->frames[frame].module));
		text_string(text, "+0x");
		text_hex(text, model_address(model, frame), 1);
	}
	if (place->count)
		print_line(&place->lines[place->count - 1], text);
	text_character(text, '\n');
}

static void print_stack(const struct report *report, uint32_t index, struct text *text)
{
	const struct model_stack *stack = &report->model->stacks[index];
	uint64_t most = report->options->common.frames;
	uint32_t shown = most && most < stack->depth ? (uint32_t)most : stack->depth;

	if (!index)
		text_string(text, "      [no stack]\n");
	for (uint32_t i = 0; i < shown; i++)
		print_frame(report->model, stack->frames[i], text);
	if (shown == stack->depth)
		return;
	text_string(text, "      ... ");
	text_decimal(text, stack->depth - shown);
	text_string(text, " more frames: --frames 0 shows all\n");
}

static void print_group(const struct report *report, const struct group *group, struct text *text)
{
	const struct group *total = &report->groups.total;
	bool copies = total->copied_bytes != 0;

	text_size_right(text, group->copied_bytes, 11);
	text_size_right(text, group->bytes, 13);
	text_percent_right(text, copies ? group->copied_bytes : group->bytes,
			   copies ? total->copied_bytes : total->bytes, 9);
	text_string(text, "  ");
	report_group_name(report, group, text);
	text_pad(text, NAME_COLUMN + 24);
	print_counts(text, model_kind_names, group->kinds, MODEL_KINDS);
	if (group->causes[TRACE_CAUSE_WRITE] != group->writes) {
		text_string(text, "; ");
		print_counts(text, model_cause_names, group->causes, MODEL_CAUSES);
	}
	if (group->compared) {
		text_string(text, "; changed ");
		text_size(text, group->changed_bytes);
		text_string(text, ", identical ");
		text_decimal(text, group->identical);
	}
	if (group->uncertain) {
		text_string(text, "; stack uncertain ");
		text_decimal(text, group->uncertain);
	}
	if (group->other) {
		text_string(text, "; table of stacks full ");
		text_decimal(text, group->other);
	}
	text_character(text, '\n');
	if (report->options->by == BY_STACK)
		print_stack(report, group->stack, text);
}

static void print_groups(const struct report *report, struct text *text)
{
	size_t shown = report_shown(report, report->groups.count);

	text_string(text, "\nby ");
	text_string(text, group_by_names[report->options->by]);
	text_string(text, "\n     copied   first writes      %\n");
	for (size_t i = 0; i < shown; i++)
		print_group(report, &report->groups.list[i], text);
	report_print_left_out(report->groups.count - shown, text);
}

/* ---- labels ---- */

static void print_labels(const struct report *report, struct text *text)
{
	const struct model *model = report->model;
	uint64_t left = report->options->common.limit ? report->options->common.limit : UINT64_MAX;
	bool title = false;

	for (size_t i = 0; i < model->process_count; i++) {
		const struct model_process *process = &model->processes[model->order[i]];
		for (size_t j = 0; j < process->label_count && left; j++, left--) {
			if (!title)
				text_string(text, "\nlabels\n");
			title = true;
			text_string(text, "  ");
			print_time_since(process->labels[j].time, report->groups.begin, text);
			text_pad(text, 16);
			report_process_name(process, text);
			text_pad(text, 36);
			output_string(text, process->labels[j].text);
			text_character(text, '\n');
		}
	}
}

/* Nothing has made COWSPY_SCOPE=auto wider yet, and first writes were wanted. */
static bool is_narrow(const struct model_process *process)
{
	const struct model_snapshot *snapshot = model_last_snapshot(process);
	for (size_t i = 0; snapshot && i < snapshot->mapping_count; i++)
		if (snapshot->mappings[i].limit == TRACE_LIMIT_MODE)
			return false;
	return !process->options.scope && !process->fork_count && process->origin != ORIGIN_FORK;
}

/* Who records something small first sees nothing. */
static void print_hint(const struct report *report, struct text *text)
{
	if (!selection_is_whole(&report->options->common.selection))
		return;
	for (size_t i = 0; i < report->model->process_count; i++)
		if (!is_narrow(&report->model->processes[i]))
			return;
	text_string(text, "  nothing forked, and until then only what the program itself maps is "
			  "tracked: cowspy record --scope all\n");
}

void report_print(const struct report *report, struct text *text)
{
	report_answer(report, text);
	text_character(text, '\n');
	if (report->groups.total.writes) {
		print_kinds(report, text);
		print_changes(report, text);
		print_processes(report, text);
		report_print_forks(report, text);
		if (report->options->callers)
			report_print_callers(report, text);
		else
			print_groups(report, text);
		if (report->options->pages)
			report_print_pages(report, text);
	} else {
		print_hint(report, text);
		print_processes(report, text);
	}
	print_children(report, text);
	print_labels(report, text);
	report_print_limits(report, text);
	report_print_cost(report, text);
}
