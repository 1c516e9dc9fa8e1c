#include "fold.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#define INDENT 4 /* of what follows, behind that of a row of a table */
#define DEEP 16  /* spaces in front of what belongs into a column */
#define ROOM_LEAST 16

static bool is_inside_character(char byte)
{
	return ((unsigned char)byte & 0xc0) == 0x80;
}

/* The byte at which `width` columns are full, or length. */
static size_t full_at(const char *line, size_t length, size_t width)
{
	size_t at = 0;
	for (size_t columns = 0; at < length; at++) {
		columns += !is_inside_character(line[at]);
		if (columns > width)
			break;
	}
	return at;
}

/* Where the first of the lines ends: [0, end) fits, and the line is longer. */
static size_t break_before(const char *line, size_t end, size_t length)
{
	size_t word = 0, column = 0, first = 0;

	while (first < end && line[first] == ' ')
		first++;
	for (size_t i = first + 1; i <= end; i++) {
		if (line[i] != ' ' || line[i - 1] == ' ')
			continue;
		word = i;
		if (i + 1 < length && line[i + 1] == ' ')
			column = i;
	}
	return column > end / 2 ? column : word ? word : end;
}

/* Of the lines that follow; numbers at the beginning of a row are right-aligned. */
static size_t indent_of(const char *line, size_t length, size_t width)
{
	size_t spaces = 0, indent;
	while (spaces < length && line[spaces] == ' ')
		spaces++;
	indent = spaces > DEEP ? spaces + 2 : spaces > INDENT ? 2 * INDENT : spaces + INDENT;
	return indent + ROOM_LEAST <= width ? indent : 0;
}

void fold_line(const char *line, size_t length, size_t width, FILE *output)
{
	bool ended = length && line[length - 1] == '\n';
	size_t indent, end;

	length -= ended;
	indent = indent_of(line, length, width);
	for (size_t room = width; (end = full_at(line, length, room)) < length;
	     room = width - indent) {
		end = break_before(line, end, length);
		fwrite(line, 1, end, output);
		while (end < length && line[end] == ' ')
			end++;
		line += end;
		length -= end;
		if (!length)
			break;
		fprintf(output, "\n%*s", (int)indent, "");
	}
	fwrite(line, 1, length, output);
	if (ended)
		fputc('\n', output);
}

void fold_all(int input, size_t width)
{
	FILE *stream = fdopen(input, "r");
	size_t size = 0;
	char *line = NULL;
	ssize_t length;

	while (stream && (length = getline(&line, &size, stream)) > 0) {
		fold_line(line, (size_t)length, width, stdout);
		if (ferror(stdout))
			break;
	}
	fflush(stdout);
	free(line);
}
