/* Files that verbs write. Single-threaded. */
#ifndef COWSPY_TOOLS_OUTPUT_FILE_H
#define COWSPY_TOOLS_OUTPUT_FILE_H

#include <stdio.h>

/*
 * Let `write` write a file, which is put in place in one step once it is complete: whoever reads it
 * never sees half of it. NULL or "-": standard output. `write` returns 0 or -errno. Returns a
 * status, with a message when it failed.
 */
int output_file(const char *verb, const char *path, int (*write)(FILE *stream, void *context),
		void *context);

#endif
