/*
 * The parts of `cowspy record`. Single-threaded; messages go to standard error, each with what would
 * help.
 */
#ifndef COWSPY_TOOLS_RECORD_H
#define COWSPY_TOOLS_RECORD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <time.h>

/* Exit statuses of our own, as of env(1) and shells. */
#define STATUS_CANNOT_RUN 126
#define STATUS_NO_PROGRAM 127

/* ---- record_program.c: whether the library can be in a program ---- */

/*
 * The path of the file that execvp would run for this word. Allocated; NULL with errno when there is
 * none.
 */
char *program_find(const char *word);

/*
 * Whether the library can watch what runs when `path` is executed with these arguments: the
 * interpreter of a script, too. False after a message.
 */
bool program_check(const char *path, char **argv);

/* The library: the named one, or the one that belongs to this tool. NULL after a message. */
char *program_library(const char *named);

/* ---- record_folder.c: what has been recorded so far ---- */

struct recorded {
	const char *folder;
	struct recorded_file *files; /* each read as far as it went */
	size_t count;
	uint64_t events;
	uint64_t copied;  /* pages that first writes copied */
	uint64_t touched; /* pages that they only filled */
};

void recorded_update(struct recorded *recorded);

/* Keep the names of generated code of processes that were killed. */
void recorded_keep_maps(const struct recorded *recorded);

/* Processes among the files: one has a file for each program that it became. */
size_t recorded_processes(const struct recorded *recorded);

void recorded_release(struct recorded *recorded);

/* ---- record_run.c: the program, and what we do while it runs ---- */

struct run {
	char **argv;
	const char *path; /* what is executed */
	const char *library;
	const char *folder; /* NULL: named after program and pid; absolute or not */
	char *made;         /* the folder as it was made */
	bool quiet;
	bool progress;
	int pid;
};

/* Start the program and wait for its end. Returns its wait status, or -1 after a message with
 * *status set to ours. */
int run_program(struct run *run, int *status);

/* End as the program did. */
int run_end_like(int wait_status);

#endif
