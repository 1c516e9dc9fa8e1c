/*
 * The options that report and diff share: which first writes, how many lines of each list, in what
 * form. Single-threaded.
 */
#ifndef COWSPY_TOOLS_RECORDING_OPTIONS_H
#define COWSPY_TOOLS_RECORDING_OPTIONS_H

#include "selection.h"

struct recording_options {
	struct selection selection;
	uint64_t limit;  /* lines of each list; 0: all */
	uint64_t frames; /* of a stack; 0: all */
	bool json;
	bool without_names; /* open no program or library */
	bool done;          /* the help was asked for, and printed */
};

enum { RECORDING_FRAMES = 900, RECORDING_NO_NAMES };

#define RECORDING_LETTERS "l:jh"

/* Entries of struct option. */
#define RECORDING_OPTIONS \
	{"limit", required_argument, NULL, 'l'}, \
		{"frames", required_argument, NULL, RECORDING_FRAMES}, \
		{"no-names", no_argument, NULL, RECORDING_NO_NAMES}, \
		{"json", no_argument, NULL, 'j'}, {"help", no_argument, NULL, 'h'}, \
		SELECTION_OPTIONS

#define RECORDING_HELP(frames) \
	"  -l, --limit N         lines shown of each list, 20 by default; 0: all\n" \
	"      --frames N        frames shown of each stack, " frames \
	" by default; 0: all\n" SELECTION_HELP \
	"      --no-names        no function names: do not open any program or library\n" \
	"  -j, --json            one JSON object\n" \
	"  -h, --help            this text\n"

void recording_options_start(struct recording_options *options, uint64_t frames);

/* Take one of them, as getopt_long gives it: STATUS_OK, or STATUS_USAGE with a message. */
int recording_option(struct recording_options *options, const char *verb, const char *help,
		     int option, char **argv);

#endif
