/* The report's view of forks: what each side has copied since, when, of what and by whom. */
#include "model_names.h"
#include "output.h"
#include "owners.h"
#include "report.h"
#include "fork_views.h"

/* The largest group of one side. NULL: nothing was written, or no memory. */
static const struct group *largest(const struct report *report, const struct fork_side *side,
				   enum group_by by, struct groups *groups)
{
	struct selection selection = report->options->common.selection;

	selection.process = side->process;
	selection.epoch = side->epoch;
	*groups = (struct groups){0};
	if (!groups_collect(groups, report->model, &selection, by) || !groups->count)
		return NULL;
	return groups->list;
}

static void print_largest(const struct report *report, const struct fork_side *side,
			  enum group_by by, struct text *text)
{
	struct groups groups;
	const struct group *group = largest(report, side, by, &groups);

	if (group) {
		const struct group *total = &groups.total;
		bool copies = total->copied_bytes != 0;
		text_percent(text, copies ? group->copied_bytes : group->bytes,
			     copies ? total->copied_bytes : total->bytes);
		text_character(text, ' ');
		report_name_in(report, &groups, group, text);
	}
	groups_free(&groups);
}

static void print_side(const struct report *report, const struct fork_side *side, const char *name,
		       struct text *text)
{
	uint64_t page;

	text_string(text, "    ");
	text_string(text, name);
	if (side->process == MODEL_NONE) {
		text_string(text, ": no trace of it here\n");
		return;
	}
	page = report->model->processes[side->process].header.page_size;
	text_pad(text, 16);
	text_size_right(text, side->copied * page, 11);
	text_size_right(text, side->in_second * page, 11);
	text_size_right(text, side->in_minute * page, 11);
	text_size_right(text, side->reuse * page, 12);
	text_size_right(text, side->fill * page, 13);
	if (side->copied || side->reuse || side->fill) {
		text_string(text, "   ");
		print_largest(report, side, BY_OBJECT, text);
		text_string(text, "; ");
		print_largest(report, side, BY_FUNCTION, text);
	}
	text_character(text, '\n');
}

static void print_fork(const struct report *report, const struct fork_view *view, struct text *text)
{
	const struct model *model = report->model;

	text_string(text, "  fork at +");
	text_duration(text,
		      view->time > report->groups.begin ? view->time - report->groups.begin : 0);
	if (view->parent.process != MODEL_NONE) {
		text_string(text, " by ");
		report_process_name(&model->processes[view->parent.process], text);
	}
	text_string(text, ": child ");
	text_decimal(text, view->child);
	text_character(text, '\n');
	print_side(report, &view->parent, "parent", text);
	print_side(report, &view->side, "child", text);
}

void report_print_forks(const struct report *report, struct text *text)
{
	struct fork_views views;
	size_t count;

	if (!fork_views_collect(&views, report->model, &report->options->common.selection) ||
	    !views.count) {
		fork_views_free(&views);
		return;
	}
	count = views.count;
	fork_views_limit(&views, report_shown(report, count));
	text_string(text, "\nforks, and what each side has written first since, until its next one"
			  "\n                     copied in 1st sec in 1st min    in place"
			  "  first touch   most of it\n");
	for (size_t i = 0; i < views.count; i++)
		print_fork(report, &views.list[i], text);
	report_print_left_out(count - views.count, text);
	fork_views_free(&views);
}

/* ---- JSON ---- */

static struct json_object *json_side(const struct report *report, const struct fork_side *side)
{
	const struct model_process *process = &report->model->processes[side->process];
	struct json_object *object = json_object_new_object();
	uint64_t page = process->header.page_size;

	json_add_number(object, "pid", process->header.pid);
	json_add_number(object, "epoch", side->epoch);
	json_add_number(object, "copied_bytes", side->copied * page);
	json_add_number(object, "copied_in_first_second_bytes", side->in_second * page);
	json_add_number(object, "copied_in_first_minute_bytes", side->in_minute * page);
	json_add_number(object, "shared_before_bytes", side->shared * page);
	json_add_number(object, "reused_bytes", side->reuse * page);
	json_add_number(object, "filled_bytes", side->fill * page);
	return object;
}

struct json_object *report_json_forks(const struct report *report)
{
	struct json_object *array = json_object_new_array();
	struct fork_views views;

	fork_views_collect(&views, report->model, &report->options->common.selection);
	fork_views_limit(&views, report_shown(report, views.count));
	for (size_t i = 0; i < views.count; i++) {
		const struct fork_view *view = &views.list[i];
		struct json_object *object = json_object_new_object();
		report_json_seconds(object, "seconds", report, view->time);
		json_add_number(object, "child", view->child);
		if (view->parent.process != MODEL_NONE)
			json_object_object_add(object, "parent_side",
					       json_side(report, &view->parent));
		if (view->side.process != MODEL_NONE)
			json_object_object_add(object, "child_side",
					       json_side(report, &view->side));
		json_object_array_add(array, object);
	}
	fork_views_free(&views);
	return array;
}
