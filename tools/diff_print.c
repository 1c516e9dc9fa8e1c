/* A comparison as text and as JSON. */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "diff.h"
#include "groups.h"
#include "model_names.h"
#include "output.h"
#include "report.h"

/* ---- text ---- */

static void print_growth(uint64_t before, uint64_t after, struct text *text)
{
	static char buffer[40];
	struct text number;

	text_start(&number, -1, buffer, sizeof(buffer));
	if (before != after)
		text_character(&number, after > before ? '+' : '-');
	text_size(&number, after > before ? after - before : before - after);
	text_right(text, buffer, number.length, 12);
}

static void print_percent(uint64_t before, uint64_t after, struct text *text)
{
	char number[40];
	double percent = diff_percent(before, after);
	if (isinf(percent))
		snprintf(number, sizeof(number), "new");
	else
		snprintf(number, sizeof(number), "%+.1f %%", percent);
	text_right(text, number, strlen(number), 11);
}

static void print_frames(struct model *model, uint32_t index, uint64_t most, struct text *text)
{
	const struct model_stack *stack = &model->stacks[index];
	for (uint32_t i = 1; i < stack->depth && (!most || i < most); i++) {
		text_pad(text, 51);
		report_function(model, stack->frames[i], text);
		text_character(text, '\n');
	}
}

static void print_row(const struct diff *diff, const struct diff_row *row, bool stack,
		      const struct diff_options *options, struct text *text)
{
	struct model *model = &diff->models[row->side];

	print_growth(row->bytes[DIFF_BEFORE], row->bytes[DIFF_AFTER], text);
	print_percent(row->bytes[DIFF_BEFORE], row->bytes[DIFF_AFTER], text);
	text_size_right(text, row->bytes[DIFF_BEFORE], 13);
	text_size_right(text, row->bytes[DIFF_AFTER], 13);
	text_string(text, "  ");
	if (stack)
		report_function(model, stack_leaf(model, row->stack), text);
	else
		report_leaf_function(model, row->stack, text);
	text_character(text, '\n');
	if (stack)
		print_frames(model, row->stack, options->common.frames, text);
}

static void print_rows(const struct diff *diff, const struct diff_rows *rows, bool stacks,
		       const struct diff_options *options, struct text *text)
{
	size_t shown = 0, changed = 0;

	text_string(text, stacks ? "\nby stack\n" : "\nby function\n");
	text_string(text, "      growth              before        after\n");
	for (size_t i = 0; i < rows->count; i++) {
		const struct diff_row *row = &rows->list[i];
		if (row->bytes[DIFF_BEFORE] == row->bytes[DIFF_AFTER])
			continue;
		changed++;
		if (options->common.limit && shown == options->common.limit)
			continue;
		print_row(diff, row, stacks, options, text);
		shown++;
	}
	if (shown < changed) {
		text_string(text, "  ... ");
		text_decimal(text, changed - shown);
		text_string(text, " more: --limit 0 shows all\n");
	}
	if (shown < rows->count) {
		text_string(text, "  ");
		text_decimal(text, rows->count - changed);
		text_string(text, " unchanged\n");
	}
}

void diff_print(const struct diff *diff, const struct diff_options *options, struct text *text)
{
	bool both = !options->stacks && !options->functions;

	text_string(text, diff->copies ? "copied: " : "written first: ");
	text_size(text, diff->bytes[DIFF_BEFORE]);
	text_string(text, " before, ");
	text_size(text, diff->bytes[DIFF_AFTER]);
	text_string(text, " after\n");
	if (both || options->functions)
		print_rows(diff, &diff->functions, false, options, text);
	if (both || options->stacks)
		print_rows(diff, &diff->stacks, true, options, text);
	text_string(text, "\ntotal ");
	print_growth(diff->bytes[DIFF_BEFORE], diff->bytes[DIFF_AFTER], text);
	print_percent(diff->bytes[DIFF_BEFORE], diff->bytes[DIFF_AFTER], text);
	text_character(text, '\n');
}

/* ---- JSON ---- */

static void add_numbers(struct json_object *object, const uint64_t *bytes)
{
	double percent = diff_percent(bytes[DIFF_BEFORE], bytes[DIFF_AFTER]);
	json_add_number(object, "before_bytes", bytes[DIFF_BEFORE]);
	json_add_number(object, "after_bytes", bytes[DIFF_AFTER]);
	/* JSON knows no infinity: what is new has no percentage. */
	json_object_object_add(object, "growth_percent",
			       isinf(percent) ? NULL : json_object_new_double(percent));
}

static void add_name(struct json_object *array, struct model *model, uint32_t index,
		     void (*print)(struct model *, uint32_t, struct text *))
{
	static char buffer[1 << 14];
	struct text text;
	text_start(&text, -1, buffer, sizeof(buffer));
	print(model, index, &text);
	json_object_array_add(array, json_object_new_string_len(buffer, (int)text.length));
}

static struct json_object *json_rows(const struct diff *diff, const struct diff_rows *rows,
				     bool stacks, uint64_t limit)
{
	struct json_object *array = json_object_new_array();
	for (size_t i = 0; i < rows->count && (!limit || i < limit); i++) {
		const struct diff_row *row = &rows->list[i];
		struct model *model = &diff->models[row->side];
		const struct model_stack *stack = &model->stacks[row->stack];
		struct json_object *object = json_object_new_object();
		struct json_object *names = json_object_new_array();
		add_numbers(object, row->bytes);
		if (!stacks)
			add_name(names, model, row->stack, report_leaf_function);
		for (uint32_t j = 0; stacks && j < stack->depth; j++)
			add_name(names, model, stack->frames[j], report_function);
		json_object_object_add(object, "frames", names);
		json_object_array_add(array, object);
	}
	return array;
}

int diff_print_json(const struct diff *diff, const struct diff_options *options)
{
	struct json_object *object = json_object_new_object();
	bool both = !options->stacks && !options->functions;

	json_add_string(object, "counted", diff->copies ? "copies" : "first writes");
	add_numbers(object, diff->bytes);
	if (both || options->functions)
		json_object_object_add(
			object, "functions",
			json_rows(diff, &diff->functions, false, options->common.limit));
	if (both || options->stacks)
		json_object_object_add(object, "stacks",
				       json_rows(diff, &diff->stacks, true, options->common.limit));
	return output_json(object, "diff");
}
