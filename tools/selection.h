/*
 * Which first writes of a recording a verb is asked for: the options that report, export and diff
 * share. Single-threaded.
 */
#ifndef COWSPY_TOOLS_SELECTION_H
#define COWSPY_TOOLS_SELECTION_H

#include <getopt.h>
#include <stdbool.h>
#include <stdint.h>

#include "model.h"

struct selection {
	uint32_t kinds, causes, sides; /* a bit for each; 0: all */
	int64_t epoch;                 /* -1: all */
	int64_t pid;                   /* -1: all */
	uint64_t since;                /* not before this time */
	bool last_epoch;               /* only since the last fork of each process */
	uint32_t process;              /* index in the model; MODEL_NONE: all */
};

/* Entries of struct option, and their values: outside of characters. */
enum selection_option {
	SELECTION_KIND = 1000,
	SELECTION_CAUSE,
	SELECTION_SIDE,
	SELECTION_EPOCH,
	SELECTION_PID,
};

#define SELECTION_OPTIONS \
	{"kind", required_argument, NULL, SELECTION_KIND}, \
		{"cause", required_argument, NULL, SELECTION_CAUSE}, \
		{"side", required_argument, NULL, SELECTION_SIDE}, \
		{"epoch", required_argument, NULL, SELECTION_EPOCH}, \
	{ \
		"pid", required_argument, NULL, SELECTION_PID \
	}

#define SELECTION_HELP \
	"      --kind KINDS      only file, zero, fill, fork, reuse, unknown; several\n" \
	"                        with commas; copied stands for file,zero,fork\n" \
	"      --cause CAUSES    only write, syscall, lock, populate\n" \
	"      --side SIDE       only the parent's or the child's side of the last fork\n" \
	"      --epoch N         only between the n-th fork and the next\n" \
	"      --pid PID         only this process\n"

void selection_start(struct selection *selection);

/* Whether none of the options was given. */
bool selection_is_whole(const struct selection *selection);

/* Take an option's value: STATUS_OK, or STATUS_USAGE with a message. */
int selection_option(struct selection *selection, const char *verb, int option, const char *value);

bool selection_takes(const struct selection *selection, const struct model_process *process,
		     const struct model_write *write);

#endif
