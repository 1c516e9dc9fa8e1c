/* Tables of first writes, and of what grew between two recordings. */
#include "html.h"
#include "model_names.h"
#include "output.h"

void html_cell_size(struct html *html, uint64_t bytes)
{
	fprintf(html->stream, "<td class=\"number\" data-value=\"%ju\">", (uintmax_t)bytes);
	html_size(html, bytes);
	fputs("</td>", html->stream);
}

void html_cell_percent(struct html *html, uint64_t part, uint64_t whole)
{
	fprintf(html->stream, "<td class=\"number\" data-value=\"%ju\">", (uintmax_t)part);
	text_percent(html_text(html), part, whole);
	html_text_end(html);
	fputs("</td>", html->stream);
}

static size_t shown_of(const struct html *html, size_t count)
{
	return html->limit && html->limit < count ? (size_t)html->limit : count;
}

static void end_table(struct html *html, size_t shown, size_t count)
{
	fputs("</tbody></table></div>\n", html->stream);
	if (shown < count)
		fprintf(html->stream,
			"<p class=\"more\">%zu more: 'cowspy html --limit 0' writes all</p>\n",
			count - shown);
}

/* ---- stacks, functions, mappings ---- */

static void print_frame(struct html *html, struct model *model, uint32_t frame)
{
	const struct code_place *place = model_place(model, frame);
	const struct source_line *line = place->count ? &place->lines[place->count - 1] : NULL;

	fputs("<li>", html->stream);
	report_function(model, frame, html_text(html));
	html_text_end(html);
	if (line && line->file) {
		fputs(" <small>", html->stream);
		html_string(html, line->file);
		fprintf(html->stream, ":%u</small>", line->line);
	}
	fputs("</li>", html->stream);
}

static void print_stack(struct html *html, struct model *model, uint32_t index)
{
	const struct model_stack *stack = &model->stacks[index];

	fputs("<details><summary>", html->stream);
	report_function(model, stack_leaf(model, index), html_text(html));
	html_text_end(html);
	fputs("</summary><ol>", html->stream);
	for (uint32_t i = 0; i < stack->depth; i++)
		print_frame(html, model, stack->frames[i]);
	fputs("</ol></details>", html->stream);
}

static void print_group(struct html *html, const struct report *report, const struct group *group)
{
	const struct group *total = &report->groups.total;
	bool copies = total->copied_bytes != 0;

	fputs("<tr>", html->stream);
	html_cell_size(html, group->copied_bytes);
	html_cell_size(html, group->bytes);
	html_cell_percent(html, copies ? group->copied_bytes : group->bytes,
			  copies ? total->copied_bytes : total->bytes);
	fputs("<th scope=\"row\">", html->stream);
	if (report->groups.by == BY_STACK) {
		print_stack(html, report->model, group->stack);
	} else {
		report_group_name(report, group, html_text(html));
		html_text_end(html);
	}
	fputs("</th></tr>\n", html->stream);
}

static void print_groups(struct html *html, const struct report *report, const char *title,
			 const char *key)
{
	size_t shown = shown_of(html, report->groups.count);

	fprintf(html->stream,
		"<div class=\"table\"><table data-by=\"%s\"><caption>%s</caption><thead><tr>"
		"<th scope=\"col\" class=\"number\">copied</th><th scope=\"col\" class=\"number\">first writes</th>"
		"<th scope=\"col\" class=\"number\">share</th><th scope=\"col\">%s</th></tr></thead><tbody>\n",
		key, title, key);
	for (size_t i = 0; i < shown; i++)
		print_group(html, report, &report->groups.list[i]);
	end_table(html, shown, report->groups.count);
}

void html_tables(struct html *html, unsigned recording)
{
	const struct report *report = &html->reports[recording];
	struct report other = *report;

	other.groups = report->functions;
	print_groups(html, &other, "By function that wrote first", "function");
	print_groups(html, report, "By stack", "stack");
	if (groups_collect(&other.groups, report->model, &report->options->common.selection,
			   BY_MAPPING))
		print_groups(html, &other, "By mapping", "mapping");
	groups_free(&other.groups);
}

/* ---- before and after ---- */

static void print_change(struct html *html, uint64_t before, uint64_t after)
{
	struct text *text;

	fprintf(html->stream, "<td class=\"number %s\" data-value=\"%jd\">",
		after > before ? "grown" : "shrunk", (intmax_t)(after - before));
	text = html_text(html);
	text_character(text, after > before ? '+' : '-');
	text_size(text, after > before ? after - before : before - after);
	html_text_end(html);
	fputs("</td>", html->stream);
}

static void print_row(struct html *html, const struct diff_row *row, bool stacks)
{
	struct model *model = &html->models[row->side];

	fputs("<tr>", html->stream);
	print_change(html, row->bytes[DIFF_BEFORE], row->bytes[DIFF_AFTER]);
	html_cell_size(html, row->bytes[DIFF_BEFORE]);
	html_cell_size(html, row->bytes[DIFF_AFTER]);
	fputs("<th scope=\"row\">", html->stream);
	if (stacks) {
		print_stack(html, model, row->stack);
	} else {
		report_leaf_function(model, row->stack, html_text(html));
		html_text_end(html);
	}
	fputs("</th></tr>\n", html->stream);
}

static void print_rows(struct html *html, const struct diff_rows *rows, bool stacks)
{
	size_t shown = 0, changed = 0;

	fprintf(html->stream,
		"<div class=\"table\"><table class=\"growth\"><caption>What changed, by %s"
		"</caption><thead><tr><th scope=\"col\" class=\"number\">growth</th><th scope=\"col\" class=\"number\">before</th>"
		"<th scope=\"col\" class=\"number\">after</th><th scope=\"col\">%s</th></tr></thead><tbody>\n",
		stacks ? "stack" : "function", stacks ? "stack" : "function");
	for (size_t i = 0; i < rows->count; i++) {
		const struct diff_row *row = &rows->list[i];
		if (row->bytes[DIFF_BEFORE] == row->bytes[DIFF_AFTER] ||
		    (++changed > shown_of(html, rows->count)))
			continue;
		print_row(html, row, stacks);
		shown++;
	}
	end_table(html, shown, changed);
}

void html_growth(struct html *html)
{
	fputs("<section id=\"growth\"><h2>Before and after</h2>\n", html->stream);
	print_rows(html, &html->diff->functions, false);
	print_rows(html, &html->diff->stacks, true);
	fputs("</section>\n", html->stream);
}
