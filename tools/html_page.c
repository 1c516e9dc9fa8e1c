/* The page: its template with everything in its places. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "html.h"
#include "html_assets.h"
#include "output.h"

static const char *const side_titles[DIFF_SIDES] = {"Before", "After"};

static void print_asset(struct html *html, const struct html_asset *asset)
{
	fwrite(asset->bytes, 1, html_asset_size(asset), html->stream);
}

/* ---- what stands at the top ---- */

static void print_growth_sentence(struct html *html)
{
	uint64_t before = html->diff->bytes[DIFF_BEFORE], after = html->diff->bytes[DIFF_AFTER];
	struct text *text = html_text(html);
	char percent[40] = "";

	if (before)
		snprintf(percent, sizeof(percent), " (%+.1f %%)", diff_percent(before, after));
	text_string(text, html->diff->copies ? "Copied: " : "Written first: ");
	text_size(text, after);
	text_string(text, " after, ");
	text_size(text, before);
	text_string(text, " before: ");
	text_string(text, after == before ? "the same" : after > before ? "grown by " : "less by ");
	if (after != before) {
		text_size(text, after > before ? after - before : before - after);
		text_string(text, percent);
	}
	html_text_end(html);
}

static int print_answer(struct html *html)
{
	if (html->diff) {
		print_growth_sentence(html);
		return 0;
	}
	report_answer(&html->reports[0], html_text(html));
	html_text_end(html);
	return 0;
}

static void print_when(struct html *html, const struct model_process *process)
{
	time_t seconds = (time_t)(process->header.wall_time / 1000000000);
	struct tm tm;
	char when[64];

	if (!gmtime_r(&seconds, &tm) || !strftime(when, sizeof(when), "%F %T UTC", &tm))
		return;
	fprintf(html->stream, "<dt>recorded</dt><dd>%s</dd>", when);
}

static void print_arguments(struct html *html, const struct model_process *process)
{
	const char *argument = process->arguments, *end;

	if (!argument)
		return;
	end = argument + process->arguments_length;
	fputs("<dt>command</dt><dd><code>", html->stream);
	for (; argument < end; argument += strlen(argument) + 1) {
		html_string(html, argument);
		putc(' ', html->stream);
	}
	fputs("</code></dd>", html->stream);
}

static int print_facts(struct html *html)
{
	for (unsigned i = 0; i < html->count; i++) {
		const struct report *report = &html->reports[i];
		const struct model_process *first =
			&html->models[i].processes[html->models[i].order[0]];
		fputs("<dl class=\"facts\">", html->stream);
		if (html->diff)
			fprintf(html->stream, "<dt class=\"side\">%s</dt><dd></dd>",
				side_titles[i]);
		fputs("<dt>recording</dt><dd>", html->stream);
		html_string(html, html->paths[i] ? html->paths[i] : first->file);
		fputs("</dd>", html->stream);
		print_arguments(html, first);
		print_when(html, first);
		fputs("<dt>lasted</dt><dd>", html->stream);
		text_duration(html_text(html), report->groups.end - report->groups.begin);
		html_text_end(html);
		fprintf(html->stream, "</dd><dt>processes</dt><dd>%zu</dd><dt>kernel</dt><dd>",
			html->models[i].process_count);
		text_untrusted(html_text(html), first->header.kernel,
			       strnlen(first->header.kernel, sizeof(first->header.kernel)));
		html_text_end(html);
		fputs("</dd></dl>\n", html->stream);
	}
	return 0;
}

/* ---- parts that each recording has ---- */

static void print_each(struct html *html, void (*print)(struct html *, unsigned))
{
	for (unsigned i = 0; i < html->count; i++) {
		fprintf(html->stream, "<div data-recording=\"%u\">\n", i);
		if (html->diff)
			fprintf(html->stream, "<h3 class=\"side\">%s</h3>\n", side_titles[i]);
		print(html, i);
		fputs("</div>\n", html->stream);
	}
}

static int print_processes(struct html *html)
{
	print_each(html, html_processes);
	return 0;
}

static int print_tables(struct html *html)
{
	print_each(html, html_tables);
	return 0;
}

static int print_coverage(struct html *html)
{
	print_each(html, html_coverage);
	return 0;
}

static int print_growth(struct html *html)
{
	if (html->diff)
		html_growth(html);
	return 0;
}

static int print_data(struct html *html)
{
	int error = 0;
	for (unsigned i = 0; i < html->count && !error; i++)
		error = html_data(html, i);
	return error;
}

/* ---- style and scripts ---- */

/* Nothing may be fetched, and nothing may run but the two scripts that were built in. */
static int print_policy(struct html *html)
{
	fprintf(html->stream,
		"default-src 'none'; base-uri 'none'; form-action 'none'; "
		"style-src 'sha256-%s'; script-src 'sha256-%s' 'sha256-%s'",
		html_style.hash, html_d3.hash, html_script.hash);
	return 0;
}

static int print_style(struct html *html)
{
	print_asset(html, &html_style);
	return 0;
}

static int print_d3(struct html *html)
{
	print_asset(html, &html_d3);
	return 0;
}

static int print_script(struct html *html)
{
	print_asset(html, &html_script);
	return 0;
}

static int print_version(struct html *html)
{
	fputs(COWSPY_VERSION, html->stream);
	return 0;
}

/* ---- the template ---- */

static const struct {
	const char *name;
	int (*print)(struct html *html);
} places[] = {
	{"answer", print_answer}, {"facts", print_facts},       {"processes", print_processes},
	{"tables", print_tables}, {"coverage", print_coverage}, {"growth", print_growth},
	{"data", print_data},     {"policy", print_policy},     {"style", print_style},
	{"d3", print_d3},         {"script", print_script},     {"version", print_version},
};

static int print_place(struct html *html, const char *name, size_t length)
{
	for (size_t i = 0; i < sizeof(places) / sizeof(places[0]); i++)
		if (strlen(places[i].name) == length && memcmp(places[i].name, name, length) == 0)
			return places[i].print(html);
	return -EINVAL;
}

static int print_page(struct html *html)
{
	const char *next = html_page.bytes, *end = html_page.end;

	while (next < end) {
		const char *open = memmem(next, (size_t)(end - next), "{{", 2);
		const char *close = open ? memmem(open, (size_t)(end - open), "}}", 2) : NULL;
		int error;
		fwrite(next, 1, (size_t)((close ? open : end) - next), html->stream);
		if (!close)
			return 0;
		error = print_place(html, open + 2, (size_t)(close - open - 2));
		if (error)
			return error;
		next = close + 2;
	}
	return 0;
}

int html_write(FILE *stream, struct model *models, const char *const *paths, unsigned count,
	       uint64_t limit)
{
	struct report_options options = {.by = BY_STACK};
	struct diff diff = {.models = models};
	struct report reports[DIFF_SIDES] = {0};
	struct html *html = calloc(1, sizeof(*html));
	bool done = html != NULL;
	int error = -ENOMEM;

	recording_options_start(&options.common, 0);
	diff.selection = options.common.selection;
	for (unsigned i = 0; i < count && done; i++)
		done = report_collect(&reports[i], &models[i], &options);
	if (done && count == DIFF_SIDES)
		done = diff_collect(&diff);
	if (done) {
		*html = (struct html){.stream = stream,
				      .models = models,
				      .paths = paths,
				      .count = count,
				      .limit = limit,
				      .reports = reports,
				      .diff = count == DIFF_SIDES ? &diff : NULL};
		error = print_page(html);
	}
	for (unsigned i = 0; i < count; i++)
		report_free(&reports[i]);
	diff_free(&diff);
	free(html);
	return error;
}
