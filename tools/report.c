#include "report.h"

#include <stdlib.h>
#include <string.h>

#include "model_names.h"
#include "output.h"
#include "owners.h"

bool report_collect(struct report *report, struct model *model,
		    const struct report_options *options)
{
	const struct selection *selection = &options->common.selection;

	*report = (struct report){.model = model, .options = options};
	report->process_group = malloc((model->process_count + 1) * sizeof(size_t));
	if (!report->process_group ||
	    !groups_collect(&report->groups, model, selection, options->by) ||
	    !groups_collect(&report->processes, model, selection, BY_PROCESS) ||
	    !groups_collect(&report->functions, model, selection, BY_FUNCTION))
		return false;
	for (size_t i = 0; i < model->process_count; i++)
		report->process_group[i] = SIZE_MAX;
	for (size_t i = 0; i < report->processes.count; i++)
		report->process_group[report->processes.list[i].process] = i;
	return true;
}

void report_free(struct report *report)
{
	groups_free(&report->groups);
	groups_free(&report->processes);
	groups_free(&report->functions);
	free(report->process_group);
}

size_t report_shown(const struct report *report, size_t count)
{
	uint64_t limit = report->options->common.limit;
	return limit && limit < count ? (size_t)limit : count;
}

/* ---- truth ---- */

uint64_t report_still_shared(const struct model_process *process)
{
	const struct model_snapshot *snapshot = model_last_snapshot(process);
	uint64_t pages = 0;
	for (size_t i = 0; snapshot && i < snapshot->run_count; i++)
		if (snapshot->runs[i].letter == 's')
			pages += snapshot->runs[i].pages;
	return pages * process->header.page_size;
}

struct report_truth report_truth(const struct report *report)
{
	struct report_truth truth = {0};
	int64_t pid = report->options->common.selection.pid;

	for (size_t i = 0; i < report->model->process_count; i++) {
		const struct model_process *process = &report->model->processes[i];
		const struct model_snapshot *snapshot = model_last_snapshot(process);
		if (!snapshot || (pid >= 0 && process->header.pid != pid))
			continue;
		truth.snapshots++;
		truth.failed += snapshot->error != 0;
		truth.copied += snapshot->totals.copied;
		truth.attributed += snapshot->totals.attributed;
	}
	return truth;
}

/* ---- names ---- */

static void print_begun(const struct model_process *process, struct text *text)
{
	text_string(text, ", begun at +");
	text_duration(text, process->begun);
}

void report_process_name(const struct model_process *process, struct text *text)
{
	if (process->origin == ORIGIN_FORK) {
		text_string(text, "child ");
		text_decimal(text, process->header.pid);
		if (process->pid_again)
			print_begun(process, text);
		return;
	}
	output_string(text, model_process_name(process));
	text_string(text, " (pid ");
	text_decimal(text, process->header.pid);
	if (process->pid_again)
		print_begun(process, text);
	text_character(text, ')');
}

void report_function(struct model *model, uint32_t frame, struct text *text)
{
	const char *function = model_function(model, frame);
	uint32_t module = model->frames[frame].module;

	if (!frame) {
		text_string(text, "[no stack]");
		return;
	}
	if (function) {
		output_string(text, function);
		text_string(text, " (");
		output_string(text, model_module_name(model, module));
		text_character(text, ')');
		return;
	}
	output_string(text, model_module_name(model, module));
	text_string(text, "+0x");
	text_hex(text, model_address(model, frame), 1);
}

void report_leaf_function(struct model *model, uint32_t stack, struct text *text)
{
	uint32_t leaf = stack_leaf(model, stack);
	if (!leaf || model_function(model, leaf)) {
		report_function(model, leaf, text);
		return;
	}
	text_string(text, "[functions without a name] (");
	output_string(text, model_module_name(model, model->frames[leaf].module));
	text_character(text, ')');
}

static void slice_name(const struct groups *groups, const struct group *group, struct text *text)
{
	text_character(text, '+');
	text_duration(text, group->key * groups->slice);
	text_string(text, " to +");
	text_duration(text, (group->key + 1) * groups->slice);
}

static void label_name(const struct groups *groups, const struct group *group, struct text *text)
{
	const struct model_label *label = groups_label_before(groups, group->first);

	if (!label) {
		text_string(text, "[before any label]");
		return;
	}
	text_string(text, "after ");
	output_string(text, label->text);
}

void report_name_in(const struct report *report, const struct groups *groups,
		    const struct group *group, struct text *text)
{
	struct model *model = report->model;
	struct model_process *process = &model->processes[group->process];
	uint32_t leaf = stack_leaf(model, group->stack);
	struct owner owner;

	switch (groups->by) {
	case BY_STACK: report_function(model, leaf, text); break;
	case BY_FUNCTION: report_leaf_function(model, group->stack, text); break;
	case BY_MODULE:
		output_string(text, model->frames[leaf].module &&
						    model->modules[model->frames[leaf].module].path
					    ? model->modules[model->frames[leaf].module].path
					    : model_module_name(model, model->frames[leaf].module));
		break;
	case BY_MAPPING: owner_print_mapping(&process->mappings[group->mapping], text); break;
	case BY_OBJECT:
		owner = owner_of(model, process, &process->writes[group->write]);
		owner_print(model, &owner, text);
		break;
	case BY_PROCESS: report_process_name(process, text); break;
	case BY_TIME: text_string(text, period_names[group->key]); break;
	case BY_LABEL: label_name(groups, group, text); break;
	default: slice_name(groups, group, text); break;
	}
}

void report_group_name(const struct report *report, const struct group *group, struct text *text)
{
	report_name_in(report, &report->groups, group, text);
}

void report_print_left_out(uint64_t count, struct text *text)
{
	if (!count)
		return;
	text_string(text, "  ... ");
	text_decimal(text, count);
	text_string(text, " more: --limit 0 shows all\n");
}

/* ---- the answer ---- */

static void answer_who(const struct report *report, struct text *text)
{
	const struct groups *processes = &report->processes;

	if (report->model->process_count == 1 || processes->count == 1) {
		uint32_t index = processes->count ? processes->list[0].process : 0;
		report_process_name(&report->model->processes[index], text);
		return;
	}
	text_decimal(text, report->model->process_count);
	text_string(text, " processes");
}

static void answer_share(const struct groups *groups, struct text *text)
{
	bool copies = groups->total.copied_bytes != 0;
	text_percent(text, copies ? groups->list[0].copied_bytes : groups->list[0].bytes,
		     copies ? groups->total.copied_bytes : groups->total.bytes);
}

void report_answer(const struct report *report, struct text *text)
{
	const struct group *total = &report->groups.total;
	const struct group *function = report->functions.list;
	const struct model_process *first;

	answer_who(report, text);
	if (!total->writes) {
		text_string(text, selection_is_whole(&report->options->common.selection)
					  ? ": no first write was recorded"
					  : ": no first write is of what was asked for");
		return;
	}
	text_string(text, total->copied ? " copied " : " copied nothing and touched first ");
	text_size(text, total->copied ? total->copied_bytes : total->bytes);
	text_string(text, " (");
	text_decimal(text, total->copied ? total->copied : total->writes);
	text_string(text,
		    (total->copied ? total->copied : total->writes) == 1 ? " page)" : " pages)");
	first = &report->model->processes[report->processes.list[0].process];
	if (report->processes.count > 1) {
		text_string(text, ", ");
		answer_share(&report->processes, text);
		text_string(text, " of it ");
		report_process_name(first, text);
	} else if (report_still_shared(first)) {
		text_string(text, " and still shares ");
		text_size(text, report_still_shared(first));
	}
	text_string(text, "; ");
	answer_share(&report->functions, text);
	text_string(text, " by ");
	report_leaf_function(report->model, function->stack, text);
}
