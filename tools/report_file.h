/*
 * The file into which a process with libcowspy.so writes its reports, and the one to come.
 *
 * The library names the file by COWSPY_OUTPUT, adds the process id in forked children whose
 * pattern has none, and a number while a file of that name exists. So all files whose names begin
 * like that are watched, and the one that grows is it.
 */
#ifndef COWSPY_TOOLS_REPORT_FILE_H
#define COWSPY_TOOLS_REPORT_FILE_H

#include <limits.h>
#include <stdbool.h>
#include <sys/types.h>

#include "process.h"

struct report_candidate {
	char *path;
	off_t size;
};

struct report_file {
	const struct process *process;
	char base[PATH_MAX];      /* as the process names it, without suffixes */
	char reachable[PATH_MAX]; /* the same through the process's root or working directory */
	struct report_candidate *candidates;
	size_t count;
	char *grown; /* the file that the report is in, and where it begins */
	off_t from;
};

/* Note the sizes of the files before the process is asked. */
void report_file_start(struct report_file *file, const struct process *process,
		       const char *pattern);
void report_file_end(struct report_file *file);

/* Wait until a report has been added. 0, -ETIMEDOUT, or -ESRCH when the process ended first. */
int report_file_wait(struct report_file *file, double timeout);

/* Copy it to standard output. Returns 0 or -errno. */
int report_file_print(const struct report_file *file);

#endif
