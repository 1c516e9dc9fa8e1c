/* Lines that are wider than the terminal, folded between words. Single-threaded. */
#ifndef COWSPY_TOOLS_FOLD_H
#define COWSPY_TOOLS_FOLD_H

#include <stddef.h>
#include <stdio.h>

/*
 * Write one line, which ends with its newline or without one, to lines of at most `width` columns:
 * preferably where a column of a table ends, else between words, else anywhere. What follows is
 * indented. A character of UTF-8 counts as one column. Nothing is left out but spaces at a break.
 */
void fold_line(const char *line, size_t length, size_t width, FILE *output);

/* Lines from a descriptor to standard output, until its end. */
void fold_all(int input, size_t width);

#endif
