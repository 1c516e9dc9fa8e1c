/* How much is explained, process by process, and what was not seen. */
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "html.h"

static void print_process(struct html *html, const struct model_process *process)
{
	const struct model_snapshot *snapshot = model_last_snapshot(process);
	uint64_t page_size = process->header.page_size, copied, attributed;

	fputs("<tr><th scope=\"row\">", html->stream);
	report_process_name(process, html_text(html));
	html_text_end(html);
	fputs("</th>", html->stream);
	if (!snapshot) {
		fputs("<td colspan=\"5\">no snapshot: the kernel was not asked</td></tr>\n",
		      html->stream);
		return;
	}
	copied = snapshot->totals.copied;
	attributed = snapshot->totals.attributed;
	html_cell_size(html, copied * page_size);
	html_cell_size(html, attributed * page_size);
	html_cell_size(html, copied > attributed ? (copied - attributed) * page_size : 0);
	html_cell_percent(html, attributed, copied);
	fprintf(html->stream,
		"<td class=\"drawn\"><svg class=\"bar\" aria-hidden=\"true\"><rect "
		"class=\"attributed\" width=\"%.1f%%\" height=\"100%%\"/></svg></td></tr>\n",
		copied ? 100.0 * (double)attributed / (double)copied : 100.0);
}

/* The sentences of the report in text, one a line; the first two are its title. */
static void print_limits(struct html *html, const struct report *report)
{
	static char buffer[1 << 14];
	int fd = memfd_create("limits", MFD_CLOEXEC);
	FILE *lines = fd >= 0 ? fdopen(fd, "r") : NULL;
	struct text text;
	char *line = NULL;
	size_t size = 0;

	if (!lines)
		return;
	text_start(&text, fd, buffer, sizeof(buffer));
	report_print_limits(report, &text);
	text_flush(&text);
	rewind(lines);
	fputs("<ul class=\"limits\">\n", html->stream);
	for (int i = 0; getline(&line, &size, lines) > 0; i++) {
		line[strcspn(line, "\n")] = 0;
		if (i < 2)
			continue;
		fputs("<li>", html->stream);
		text_string(html_text(html), line + strspn(line, " "));
		html_text_end(html);
		fputs("</li>\n", html->stream);
	}
	fputs("</ul>\n", html->stream);
	free(line);
	fclose(lines);
}

void html_coverage(struct html *html, unsigned recording)
{
	const struct report *report = &html->reports[recording];
	size_t count = report->model->process_count;
	size_t shown = html->limit && html->limit < count ? (size_t)html->limit : count;

	print_limits(html, report);
	fputs("<div class=\"table\"><table class=\"coverage\"><caption>What the kernel says is copied, "
	      "and how much of it a first write explains</caption><thead><tr>"
	      "<th scope=\"col\">process</th><th scope=\"col\" class=\"number\">copied</th>"
	      "<th scope=\"col\" class=\"number\">attributed</th><th scope=\"col\" class=\"number\">unattributed</th>"
	      "<th scope=\"col\" class=\"number\">share</th><th class=\"drawn\"></th></tr></thead><tbody>\n",
	      html->stream);
	for (size_t i = 0; i < shown; i++)
		print_process(html, &report->model->processes[report->model->order[i]]);
	fputs("</tbody></table></div>\n", html->stream);
}
