/* The tree of processes, and what was copied on each side of each fork. */
#include "fork_views.h"
#include "html.h"
#include "output.h"

#define LEVELS_SHOWN 12

/* ---- processes ---- */

static void print_note(struct html *html, const struct report *report,
		       const struct model_process *process)
{
	const struct trace_header *header = &process->header;
	uint64_t time = header->fork_time ? header->fork_time : header->time;
	struct text *text = html_text(html);

	if (process->origin == ORIGIN_FORK) {
		text_string(text, "forked at +");
		text_duration(text, time > report->groups.begin ? time - report->groups.begin : 0);
	} else if (process->origin == ORIGIN_EXEC) {
		text_string(text, "by exec");
	} else if (process->origin == ORIGIN_PROGRAM) {
		text_string(text, "started by its parent");
	}
	if (!process->closed) {
		if (text->length)
			text_string(text, ", ");
		text_string(text, "running or killed");
	}
	html_text_end(html);
}

static void print_process(struct html *html, const struct report *report, uint32_t index)
{
	static const struct group none;
	const struct model_process *process = &report->model->processes[index];
	size_t at = report->process_group[index];
	const struct group *group = at == SIZE_MAX ? &none : &report->processes.list[at];
	uint32_t level = process->level < LEVELS_SHOWN ? process->level : LEVELS_SHOWN;

	fprintf(html->stream, "<tr><th scope=\"row\" class=\"level%u\">", level);
	report_process_name(process, html_text(html));
	html_text_end(html);
	fputs("</th>", html->stream);
	html_cell_size(html, group->copied_bytes);
	fprintf(html->stream,
		"<td class=\"drawn\"><svg class=\"bar\" aria-hidden=\"true\"><rect class=\"copied\" "
		"width=\"%.1f%%\" height=\"100%%\"/></svg></td>",
		report->groups.total.copied_bytes
			? 100.0 * (double)group->copied_bytes /
				  (double)report->groups.total.copied_bytes
			: 0.0);
	html_cell_size(html, group->kinds[TRACE_KIND_FILL] * process->header.page_size);
	html_cell_size(html, group->kinds[TRACE_KIND_REUSE] * process->header.page_size);
	if (model_last_snapshot(process))
		html_cell_size(html, report_still_shared(process));
	else
		fputs("<td class=\"number\">-</td>", html->stream);
	fputs("<td>", html->stream);
	print_note(html, report, process);
	fputs("</td></tr>\n", html->stream);
}

static void print_processes(struct html *html, const struct report *report)
{
	size_t count = report->model->process_count;
	size_t shown = html->limit && html->limit < count ? (size_t)html->limit : count;

	fputs("<div class=\"table\"><table class=\"processes\"><caption>Processes</caption><thead>"
	      "<tr><th scope=\"col\">process</th><th scope=\"col\" class=\"number\">copied</th>"
	      "<th class=\"drawn\"></th>"
	      "<th scope=\"col\" class=\"number\">first touch</th><th scope=\"col\" class=\"number\">in place</th>"
	      "<th scope=\"col\" class=\"number\">still shared</th><th scope=\"col\">how it began and ended</th></tr>"
	      "</thead><tbody>\n",
	      html->stream);
	for (size_t i = 0; i < shown; i++)
		print_process(html, report, report->model->order[i]);
	fputs("</tbody></table></div>\n", html->stream);
	if (shown < count)
		fprintf(html->stream,
			"<p class=\"more\">%zu more: 'cowspy html --limit 0' writes all</p>\n",
			count - shown);
}

/* ---- forks ---- */

/* To the left what the parent copied, to the right what the child did. */
static void print_bar(struct html *html, uint64_t parent, uint64_t child, uint64_t most)
{
	double left = most ? 50.0 * (double)parent / (double)most : 0;
	double right = most ? 50.0 * (double)child / (double)most : 0;

	fprintf(html->stream,
		"<td class=\"drawn\"><svg class=\"bar sides\" aria-hidden=\"true\">"
		"<rect class=\"parent\" x=\"%.1f%%\" width=\"%.1f%%\" height=\"100%%\"/>"
		"<rect class=\"child\" x=\"50%%\" width=\"%.1f%%\" height=\"100%%\"/>"
		"<line x1=\"50%%\" x2=\"50%%\" y2=\"100%%\"/></svg></td>",
		50 - left, left, right);
}

static uint64_t side_bytes(const struct report *report, const struct fork_side *side,
			   uint64_t pages)
{
	if (side->process == MODEL_NONE)
		return 0;
	return pages * report->model->processes[side->process].header.page_size;
}

static void print_sums(struct html *html, const struct report *report, const struct fork_side *side)
{
	if (side->process == MODEL_NONE) {
		fputs("<td class=\"number\">-</td><td class=\"number\">-</td>", html->stream);
		return;
	}
	html_cell_size(html, side_bytes(report, side, side->copied));
	html_cell_size(html, side_bytes(report, side, side->in_second));
}

static void print_fork(struct html *html, const struct report *report, const struct fork_view *view,
		       uint64_t most)
{
	const struct model *model = report->model;
	uint64_t begin = report->groups.begin;

	fprintf(html->stream, "<tr><td class=\"number\" data-value=\"%ju\">+",
		(uintmax_t)view->time);
	text_duration(html_text(html), view->time > begin ? view->time - begin : 0);
	html_text_end(html);
	fputs("</td><th scope=\"row\">", html->stream);
	if (view->parent.process != MODEL_NONE) {
		report_process_name(&model->processes[view->parent.process], html_text(html));
		html_text_end(html);
	}
	fputs("</th>", html->stream);
	print_sums(html, report, &view->parent);
	print_bar(html, side_bytes(report, &view->parent, view->parent.copied),
		  side_bytes(report, &view->side, view->side.copied), most);
	print_sums(html, report, &view->side);
	fprintf(html->stream, "<th scope=\"row\">child %u</th>", view->child);
	if (view->side.process != MODEL_NONE &&
	    model_last_snapshot(&model->processes[view->side.process]))
		html_cell_size(html, report_still_shared(&model->processes[view->side.process]));
	else
		fputs("<td class=\"number\">-</td>", html->stream);
	fputs("</tr>\n", html->stream);
}

static uint64_t most_copied(const struct report *report, const struct fork_views *views)
{
	uint64_t most = 0;
	for (size_t i = 0; i < views->count; i++) {
		const struct fork_view *view = &views->list[i];
		uint64_t parent = side_bytes(report, &view->parent, view->parent.copied);
		uint64_t child = side_bytes(report, &view->side, view->side.copied);
		most = parent > most ? parent : most;
		most = child > most ? child : most;
	}
	return most;
}

static void print_forks(struct html *html, const struct report *report)
{
	struct fork_views views;
	uint64_t most;
	size_t count;

	if (!fork_views_collect(&views, report->model, &report->options->common.selection) ||
	    !views.count) {
		fork_views_free(&views);
		return;
	}
	count = views.count;
	if (html->limit && html->limit < count)
		fork_views_limit(&views, (size_t)html->limit);
	most = most_copied(report, &views);
	fputs("<div class=\"table\"><table class=\"forks\"><caption>Copied on each side of each fork, "
	      "until the next</caption><thead><tr><th scope=\"col\" class=\"number\">fork at</th>"
	      "<th scope=\"col\">parent</th><th scope=\"col\" class=\"number\">parent's side</th>"
	      "<th scope=\"col\" class=\"number\">in 1st second</th><th class=\"drawn\"></th>"
	      "<th scope=\"col\" class=\"number\">child's side</th>"
	      "<th scope=\"col\" class=\"number\">in 1st second</th><th scope=\"col\">child</th>"
	      "<th scope=\"col\" class=\"number\">it still shares</th></tr></thead><tbody>\n",
	      html->stream);
	for (size_t i = 0; i < views.count; i++)
		print_fork(html, report, &views.list[i], most);
	fputs("</tbody></table></div>\n", html->stream);
	if (views.count < count)
		fprintf(html->stream,
			"<p class=\"more\">%zu more, which copied less: 'cowspy html --limit 0' "
			"writes all</p>\n",
			count - views.count);
	fork_views_free(&views);
}

void html_processes(struct html *html, unsigned recording)
{
	print_processes(html, &html->reports[recording]);
	print_forks(html, &html->reports[recording]);
}
