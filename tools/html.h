/*
 * What `cowspy html` writes: one page of one or two recordings. Single-threaded.
 *
 * Tables and sentences are HTML written here, so that they can be read without scripts. What the
 * page's script draws is carried as data: a JSON object for names and what is few, and columns of
 * numbers, deflated, for what is many. Strings of the traced program reach the stream only through
 * html_string, html_text_end and html_json_string.
 */
#ifndef COWSPY_TOOLS_HTML_H
#define COWSPY_TOOLS_HTML_H

#include <stdio.h>

#include "base/text.h"
#include "diff.h"
#include "model.h"
#include "report.h"

#define HTML_NAME_MOST 16384 /* longer names are cut */

struct html {
	FILE *stream;
	struct model *models; /* one, or before and after */
	const char *const *paths;
	unsigned count;
	uint64_t limit;          /* rows of each table; 0: all */
	struct report *reports;  /* one for each model, of all its first writes */
	const struct diff *diff; /* NULL: one recording */
	struct text text;
	char buffer[HTML_NAME_MOST];
};

/*
 * Write the page of one recording, or of two: before and after. Tables have at most `limit` rows, 0:
 * all. 0, or -errno; errors of the stream are noticed by whoever closes it.
 */
int html_write(FILE *stream, struct model *models, const char *const *paths, unsigned count,
	       uint64_t limit);

/* ---- html_escape.c ---- */

/* What is added to the text between these two is escaped for HTML. */
struct text *html_text(struct html *html);
void html_text_end(struct html *html);

void html_string(struct html *html, const char *untrusted);
void html_size(struct html *html, uint64_t bytes);
void html_number(struct html *html, uint64_t number);

/* A string of JSON with its quotes, safe inside of a script element too. */
void html_json_string(FILE *stream, const char *untrusted);
/* The same of what the text holds. */
void html_json_text_end(struct html *html);

/* ---- the parts of the page ---- */

/* A table's cell with a number, and what to sort it by. */
void html_cell_size(struct html *html, uint64_t bytes);
void html_cell_percent(struct html *html, uint64_t part, uint64_t whole);

void html_processes(struct html *html, unsigned recording);
void html_tables(struct html *html, unsigned recording);
void html_coverage(struct html *html, unsigned recording);
void html_growth(struct html *html);
int html_data(struct html *html, unsigned recording);

#endif
