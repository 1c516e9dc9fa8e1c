/* The report as one JSON object. Strings are escaped for terminals as in the text. */
#include <stdlib.h>

#include "model_names.h"
#include "output.h"
#include "owners.h"
#include "report.h"

static void add_text(struct json_object *object, const char *key,
		     void (*print)(const struct report *, struct text *),
		     const struct report *report)
{
	static char buffer[1 << 14];
	struct text text;
	text_start(&text, -1, buffer, sizeof(buffer));
	print(report, &text);
	json_object_object_add(object, key, json_object_new_string_len(buffer, (int)text.length));
}

static struct json_object *json_counts(const char *const *names, const uint64_t *counts,
				       unsigned count)
{
	struct json_object *object = json_object_new_object();
	for (unsigned i = 0; i < count; i++)
		if (counts[i])
			json_add_number(object, names[i], counts[i]);
	return object;
}

static void add_group_counts(struct json_object *object, const struct group *group)
{
	json_add_number(object, "first_writes", group->writes);
	json_add_number(object, "bytes", group->bytes);
	json_add_number(object, "copies", group->copied);
	json_add_number(object, "copied_bytes", group->copied_bytes);
	if (group->compared) {
		json_add_number(object, "compared_bytes", group->compared_bytes);
		json_add_number(object, "changed_bytes", group->changed_bytes);
		json_add_number(object, "identical_pages", group->identical);
	}
	json_object_object_add(object, "kinds",
			       json_counts(model_kind_names, group->kinds, MODEL_KINDS));
	json_object_object_add(object, "causes",
			       json_counts(model_cause_names, group->causes, MODEL_CAUSES));
}

void report_json_seconds(struct json_object *object, const char *key, const struct report *report,
			 uint64_t time)
{
	uint64_t begin = report->groups.begin;
	double seconds = time > begin ? (double)(time - begin) / 1e9 : 0;
	json_object_object_add(object, key, json_object_new_double(seconds));
}

static void add_line(struct json_object *frames, const struct source_line *line, bool inlined,
		     const char *module, uint64_t address)
{
	struct json_object *object = json_object_new_object();
	if (line && line->function)
		json_add_string(object, "function", line->function);
	json_add_string(object, "module", module);
	json_add_address(object, "address", address);
	if (line && line->file) {
		json_add_string(object, "file", line->file);
		json_add_number(object, "line", line->line);
	}
	if (inlined)
		json_add_bool(object, "inlined", 1);
	json_object_array_add(frames, object);
}

static struct json_object *json_stack(struct model *model, uint32_t index)
{
	const struct model_stack *stack = &model->stacks[index];
	struct json_object *frames = json_object_new_array();

	for (uint32_t i = 0; i < stack->depth; i++) {
		uint32_t frame = stack->frames[i];
		const struct code_place *place = model_place(model, frame);
		const char *module = model_module_name(model, model->frames[frame].module);
		uint64_t address = model_address(model, frame);
		for (unsigned j = 0; j < place->count; j++)
			add_line(frames, &place->lines[j], j + 1 < place->count, module, address);
		if (!place->count)
			add_line(frames, NULL, false, module, address);
	}
	return frames;
}

static const struct group *named_group;

static const struct page_write *written;

static const struct model_write *written_by(const struct report *report)
{
	return &report->model->processes[written->process].writes[written->write];
}

static void print_writer(const struct report *report, struct text *text)
{
	report_leaf_function(report->model, written_by(report)->stack, text);
}

static void print_place(const struct report *report, struct text *text)
{
	struct model *model = report->model;
	struct owner owner = owner_of(model, &model->processes[written->process],
				      written_by(report));
	owner_print_place(model, &owner, text);
}

static void print_group_name(const struct report *report, struct text *text)
{
	report_group_name(report, named_group, text);
}

static struct json_object *json_groups(const struct report *report)
{
	struct json_object *array = json_object_new_array();
	size_t shown = report_shown(report, report->groups.count);

	for (size_t i = 0; i < shown; i++) {
		const struct group *group = &report->groups.list[i];
		struct json_object *object = json_object_new_object();
		named_group = group;
		add_text(object, "name", print_group_name, report);
		add_group_counts(object, group);
		report_json_seconds(object, "first_seconds", report, group->first);
		if (group->uncertain)
			json_add_number(object, "stack_uncertain", group->uncertain);
		if (group->other)
			json_add_number(object, "stack_other", group->other);
		if (report->options->by == BY_STACK)
			json_object_object_add(object, "stack",
					       json_stack(report->model, group->stack));
		json_object_array_add(array, object);
	}
	return array;
}

/* ---- pages ---- */

static struct json_object *json_page(const struct report *report, const struct page_write *page)
{
	struct model_process *process = &report->model->processes[page->process];
	const struct model_write *write = &process->writes[page->write];
	struct json_object *object = json_object_new_object();

	json_add_address(object, "page", write->page);
	json_add_number(object, "pid", process->header.pid);
	json_add_string(object, "kind", model_kind_names[model_kind(write->kind)]);
	json_add_string(object, "cause", model_cause_names[model_cause(write->cause)]);
	json_add_number(object, "epoch", write->epoch);
	json_add_number(object, "thread", write->thread);
	report_json_seconds(object, "seconds", report, write->time);
	written = page;
	add_text(object, "function", print_writer, report);
	add_text(object, "object", print_place, report);
	return object;
}

static struct json_object *json_pages(const struct report *report)
{
	struct json_object *array = json_object_new_array();
	struct page_write *list = report_pages_collect(report);
	size_t shown = list ? report_shown(report, report->groups.total.writes) : 0;

	for (size_t i = 0; i < shown; i++)
		json_object_array_add(array, json_page(report, &list[i]));
	free(list);
	return array;
}

/* ---- processes ---- */

static struct json_object *json_snapshot(const struct model_snapshot *snapshot)
{
	struct json_object *object = json_object_new_object();
	json_add_number(object, "copied", snapshot->totals.copied);
	json_add_number(object, "attributed", snapshot->totals.attributed);
	json_add_number(object, "reused", snapshot->totals.reused);
	json_add_number(object, "ambiguous", snapshot->totals.ambiguous);
	json_add_bool(object, "from_kernel", !snapshot->error);
	return object;
}

static struct json_object *json_damage(const struct trace_damage *damage)
{
	struct json_object *object = json_object_new_object();
	json_add_string(object, "what", damage->what);
	json_add_number(object, "offset", damage->offset);
	json_add_number(object, "records_left_out", damage->records);
	if (damage->cut)
		json_add_number(object, "unreadable_from", damage->cut_offset);
	return object;
}

static uint64_t lost_writes(const struct model_process *process)
{
	return process->loss_count ? process->losses[process->loss_count - 1].count : 0;
}

static struct json_object *json_process(const struct report *report, uint32_t index)
{
	static const char *const origins[] = {"start", "fork", "exec", "program"};
	static const struct group none;
	const struct model_process *process = &report->model->processes[index];
	const struct model_snapshot *snapshot = model_last_snapshot(process);
	struct json_object *cost = report_json_cost(process);
	size_t at = report->process_group[index];
	struct json_object *object = json_object_new_object();

	json_add_number(object, "pid", process->header.pid);
	json_add_number(object, "parent", process->header.parent);
	json_add_string(object, "program", model_process_name(process));
	json_add_string(object, "origin", origins[process->origin]);
	json_add_number(object, "epoch", process->header.epoch);
	json_add_number(object, "forks", process->fork_count);
	json_add_string(object, "trace", process->file);
	report_json_seconds(object, "start_seconds", report, process->header.time);
	json_add_bool(object, "closed", process->closed);
	json_add_number(object, "page_size", process->header.page_size);
	json_add_number(object, "still_shared_bytes", report_still_shared(process));
	json_add_number(object, "lost", lost_writes(process));
	json_add_number(object, "pending", process->damage.pending);
	add_group_counts(object, at == SIZE_MAX ? &none : &report->processes.list[at]);
	if (snapshot)
		json_object_object_add(object, "snapshot_pages", json_snapshot(snapshot));
	if (cost)
		json_object_object_add(object, "cost", cost);
	if (process->damage.what)
		json_object_object_add(object, "damage", json_damage(&process->damage));
	return object;
}

static struct json_object *json_processes(const struct report *report)
{
	struct json_object *array = json_object_new_array();
	size_t shown = report_shown(report, report->model->process_count);
	for (size_t i = 0; i < shown; i++)
		json_object_array_add(array, json_process(report, report->model->order[i]));
	return array;
}

static struct json_object *json_children(const struct model *model)
{
	struct json_object *array = json_object_new_array();

	for (size_t i = 0; i < model->children_count; i++) {
		const struct model_children *children = &model->children[i];
		struct json_object *object = json_object_new_object();
		uint64_t kinds[MODEL_KINDS] = {0};
		for (unsigned j = 0; j < MODEL_KINDS - 1; j++)
			kinds[j] = children->sums.kinds[j];
		json_add_string(object, "command", children->command);
		json_add_number(object, "ended", children->sums.processes);
		json_add_number(object, "executed", children->sums.execs);
		json_add_number(object, "first_writes", children->sums.events);
		json_add_number(object, "copied_pages", children->sums.copied);
		json_add_number(object, "attributed_pages", children->sums.attributed);
		json_add_number(object, "reused_pages", children->sums.reused);
		json_add_number(object, "most_pages_in_one", children->sums.most);
		json_object_object_add(object, "attributed_kinds",
				       json_counts(model_kind_names, kinds, MODEL_KINDS));
		json_object_array_add(array, object);
	}
	return array;
}

int report_print_json(const struct report *report)
{
	struct json_object *object = json_object_new_object();

	add_text(object, "answer", report_answer, report);
	add_group_counts(object, &report->groups.total);
	json_add_string(object, "by", group_by_names[report->options->by]);
	json_object_object_add(object, "groups", json_groups(report));
	json_add_number(object, "groups_left_out",
			report->groups.count - report_shown(report, report->groups.count));
	if (report->options->callers)
		json_object_object_add(object, "callers", report_json_callers(report));
	if (report->options->pages)
		json_object_object_add(object, "pages", json_pages(report));
	if (report->model->children_count)
		json_object_object_add(object, "children", json_children(report->model));
	json_object_object_add(object, "forks", report_json_forks(report));
	json_object_object_add(object, "processes", json_processes(report));
	json_add_number(object, "processes_left_out",
			report->model->process_count -
				report_shown(report, report->model->process_count));
	return output_json(object, "report");
}
