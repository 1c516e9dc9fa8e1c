/* Strings of the traced program in HTML, and in JSON inside of a script element. */
#include <string.h>

#include "html.h"
#include "output.h"

struct text *html_text(struct html *html)
{
	text_start(&html->text, -1, html->buffer, sizeof(html->buffer) - 1);
	return &html->text;
}

void html_text_end(struct html *html)
{
	for (size_t i = 0; i < html->text.length; i++)
		switch (html->buffer[i]) {
		case '&': fputs("&amp;", html->stream); break;
		case '<': fputs("&lt;", html->stream); break;
		case '>': fputs("&gt;", html->stream); break;
		case '"': fputs("&quot;", html->stream); break;
		case '\'': fputs("&#39;", html->stream); break;
		case ' ': /* a number and its sign stay on one line */
			fputs(i + 1 < html->text.length && html->buffer[i + 1] == '%' ? "&nbsp;"
										      : " ",
			      html->stream);
			break;
		default: putc(html->buffer[i], html->stream);
		}
}

void html_string(struct html *html, const char *untrusted)
{
	output_string(html_text(html), untrusted);
	html_text_end(html);
}

void html_size(struct html *html, uint64_t bytes)
{
	text_size(html_text(html), bytes);
	html_text_end(html);
}

void html_number(struct html *html, uint64_t number)
{
	fprintf(html->stream, "%ju", (uintmax_t)number);
}

/*
 * What has been escaped for a terminal is UTF-8 without control characters, and without the line
 * separators that some parsers of scripts take for the end of a line. No "<" may be left that could
 * end the script element.
 */
static void json_bytes(FILE *stream, const char *bytes, size_t length)
{
	putc('"', stream);
	for (size_t i = 0; i < length; i++)
		if (memchr("<>&'\"\\", bytes[i], 6))
			fprintf(stream, "\\u%04x", bytes[i]);
		else
			putc(bytes[i], stream);
	putc('"', stream);
}

void html_json_string(FILE *stream, const char *untrusted)
{
	static char buffer[HTML_NAME_MOST];
	struct text text;

	text_start(&text, -1, buffer, sizeof(buffer));
	output_string(&text, untrusted);
	json_bytes(stream, buffer, text.length);
}

void html_json_text_end(struct html *html)
{
	json_bytes(html->stream, html->buffer, html->text.length);
}
