/* The report's list of pages: each first write, by process and address. */
#include <stdlib.h>

#include "model_names.h"
#include "output.h"
#include "owners.h"
#include "report.h"

static const struct model_process *base; /* of the comparison below */

static int by_address(const void *left, const void *right)
{
	const struct page_write *a = left, *b = right;
	const struct model_write *x, *y;
	if (a->rank != b->rank)
		return a->rank < b->rank ? -1 : 1;
	x = &base[a->process].writes[a->write];
	y = &base[b->process].writes[b->write];
	if (x->page != y->page)
		return x->page < y->page ? -1 : 1;
	return a->write < b->write ? -1 : a->write > b->write;
}

struct page_write *report_pages_collect(const struct report *report)
{
	const struct model *model = report->model;
	const struct selection *selection = &report->options->common.selection;
	struct page_write *list = calloc(report->groups.total.writes + 1, sizeof(*list));
	size_t count = 0;

	for (uint32_t i = 0; list && i < model->process_count; i++) {
		const struct model_process *process = &model->processes[model->order[i]];
		for (size_t j = 0; j < process->write_count; j++)
			if (selection_takes(selection, process, &process->writes[j]))
				list[count++] = (struct page_write){
					.rank = i, .process = model->order[i], .write = j};
	}
	base = model->processes;
	if (list)
		qsort(list, count, sizeof(*list), by_address);
	return list;
}

static void print_write(const struct report *report, const struct page_write *page,
			struct text *text)
{
	struct model *model = report->model;
	struct model_process *process = &model->processes[page->process];
	const struct model_write *write = &process->writes[page->write];
	struct owner owner = owner_of(model, process, write);

	text_string(text, "  ");
	text_hex(text, write->page, 12);
	text_string(text, "  ");
	text_string(text, model_kind_names[model_kind(write->kind)]);
	text_pad(text, 24);
	text_string(text, model_cause_names[model_cause(write->cause)]);
	text_pad(text, 34);
	text_character(text, '+');
	text_duration(text,
		      write->time > report->groups.begin ? write->time - report->groups.begin : 0);
	text_pad(text, 46);
	report_leaf_function(model, write->stack, text);
	text_pad(text, 82);
	text_string(text, "  ");
	owner_print_place(model, &owner, text);
	text_character(text, '\n');
}

void report_print_pages(const struct report *report, struct text *text)
{
	struct page_write *list = report_pages_collect(report);
	uint64_t count = list ? report->groups.total.writes : 0;
	size_t shown = report_shown(report, count);
	uint32_t process = MODEL_NONE;

	text_string(text, "\npages, by address\n  page          kind      cause     time        "
			  "first written by                      what\n");
	for (size_t i = 0; i < shown; i++) {
		if (list[i].process != process && report->model->process_count > 1) {
			text_string(text, "  -- ");
			report_process_name(&report->model->processes[list[i].process], text);
			text_character(text, '\n');
		}
		process = list[i].process;
		print_write(report, &list[i], text);
	}
	report_print_left_out(count - shown, text);
	free(list);
}
