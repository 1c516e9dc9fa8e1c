/* The tree of processes, and what was copied on each side of each fork. */
#include <stdlib.h>

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

struct side {
	uint64_t time;
	uint32_t parent, child; /* processes; child: MODEL_NONE when it recorded nothing */
	uint32_t pid;           /* of the child */
	uint32_t epoch;
	uint64_t copied[2]; /* bytes on the parent's side and on the child's */
};

struct sides {
	struct side *list;
	size_t count, capacity;
	uint64_t most;
};

/* Bytes that a process copied in an epoch: those of all its forks in one pass over its writes. */
static bool count_epochs(const struct model_process *process, struct table *epochs,
			 uint64_t **copied)
{
	*copied = calloc(process->fork_count + 2, sizeof(**copied));
	if (!*copied || !table_set(epochs, process->header.epoch, 0))
		return false;
	for (size_t i = 0; i < process->fork_count; i++)
		if (!table_set(epochs, process->forks[i].epoch, (uint32_t)i + 1))
			return false;
	for (size_t i = 0; i < process->write_count; i++) {
		uint32_t at = table_get(epochs, process->writes[i].epoch);
		if (at != TABLE_NONE && model_kind_is_copy(process->writes[i].kind))
			(*copied)[at] += process->header.page_size;
	}
	return true;
}

static bool add_sides(struct sides *sides, const struct model *model, uint32_t index,
		      uint64_t **first)
{
	const struct model_process *process = &model->processes[index];
	struct table epochs = {0}, children = {0};
	uint64_t *copied = NULL;
	bool done = count_epochs(process, &epochs, &copied);

	for (uint32_t i = process->first_child; done && i != MODEL_NONE;
	     i = model->processes[i].next_sibling)
		if (model->processes[i].origin == ORIGIN_FORK)
			done = table_set(&children, model->processes[i].header.fork_time, i);
	if (done)
		(*first)[index] = copied[0];
	for (size_t i = 0; done && i < process->fork_count; i++) {
		const struct model_fork *fork = &process->forks[i];
		struct side side = {
			.time = fork->time,
			.parent = index,
			.child = table_get(&children, fork->time),
			.pid = fork->child,
			.epoch = fork->epoch,
			.copied = {copied[table_get(&epochs, fork->epoch)]},
		};
		done = array_grow(&sides->list, sides->count, &sides->capacity, sizeof(side));
		if (done)
			sides->list[sides->count++] = side;
	}
	table_free(&epochs);
	table_free(&children);
	free(copied);
	return done;
}

static bool collect_sides(struct sides *sides, const struct model *model)
{
	uint64_t *first = calloc(model->process_count + 1, sizeof(*first));
	bool done = first != NULL;

	for (size_t i = 0; done && i < model->process_count; i++)
		done = add_sides(sides, model, model->order[i], &first);
	for (size_t i = 0; done && i < sides->count; i++) {
		struct side *side = &sides->list[i];
		if (side->child != TABLE_NONE)
			side->copied[1] = first[side->child];
		for (int j = 0; j < 2; j++)
			if (side->copied[j] > sides->most)
				sides->most = side->copied[j];
	}
	free(first);
	return done;
}

/* To the left what the parent copied, to the right what the child did. */
static void print_bar(struct html *html, const struct side *side, uint64_t most)
{
	double parent = most ? 50.0 * (double)side->copied[0] / (double)most : 0;
	double child = most ? 50.0 * (double)side->copied[1] / (double)most : 0;

	fprintf(html->stream,
		"<td class=\"drawn\"><svg class=\"bar sides\" aria-hidden=\"true\">"
		"<rect class=\"parent\" x=\"%.1f%%\" width=\"%.1f%%\" height=\"100%%\"/>"
		"<rect class=\"child\" x=\"50%%\" width=\"%.1f%%\" height=\"100%%\"/>"
		"<line x1=\"50%%\" x2=\"50%%\" y2=\"100%%\"/></svg></td>",
		50 - parent, parent, child);
}

static void print_side(struct html *html, const struct report *report, const struct side *side,
		       uint64_t most)
{
	const struct model *model = report->model;
	uint64_t begin = report->groups.begin;

	fprintf(html->stream, "<tr><td class=\"number\" data-value=\"%ju\">+",
		(uintmax_t)side->time);
	text_duration(html_text(html), side->time > begin ? side->time - begin : 0);
	html_text_end(html);
	fputs("</td><th scope=\"row\">", html->stream);
	report_process_name(&model->processes[side->parent], html_text(html));
	html_text_end(html);
	fputs("</th>", html->stream);
	html_cell_size(html, side->copied[0]);
	print_bar(html, side, most);
	if (side->child != TABLE_NONE)
		html_cell_size(html, side->copied[1]);
	else
		fputs("<td class=\"number\">-</td>", html->stream);
	fprintf(html->stream, "<th scope=\"row\">child %u</th>", side->pid);
	if (side->child != TABLE_NONE && model_last_snapshot(&model->processes[side->child]))
		html_cell_size(html, report_still_shared(&model->processes[side->child]));
	else
		fputs("<td class=\"number\">-</td>", html->stream);
	fputs("</tr>\n", html->stream);
}

static void print_forks(struct html *html, const struct report *report)
{
	struct sides sides = {0};
	size_t shown;

	if (!collect_sides(&sides, report->model))
		sides.count = 0;
	shown = html->limit && html->limit < sides.count ? (size_t)html->limit : sides.count;
	if (shown)
		fputs("<div class=\"table\"><table class=\"forks\"><caption>Copied on each side of "
		      "each fork, until the next</caption><thead><tr><th scope=\"col\" class=\"number\">fork at</th>"
		      "<th scope=\"col\">parent</th><th scope=\"col\" class=\"number\">parent's side</th>"
		      "<th class=\"drawn\"></th><th scope=\"col\" class=\"number\">child's side</th>"
		      "<th scope=\"col\">child</th><th scope=\"col\" class=\"number\">it still shares</th></tr>"
		      "</thead><tbody>\n",
		      html->stream);
	for (size_t i = 0; i < shown; i++)
		print_side(html, report, &sides.list[i], sides.most);
	if (shown)
		fputs("</tbody></table></div>\n", html->stream);
	if (shown < sides.count)
		fprintf(html->stream, "<p class=\"more\">%zu more forks</p>\n",
			sides.count - shown);
	free(sides.list);
}

void html_processes(struct html *html, unsigned recording)
{
	print_processes(html, &html->reports[recording]);
	print_forks(html, &html->reports[recording]);
}
