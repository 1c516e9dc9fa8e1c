/*
 * COWSPY_* environment variables.
 *
 * Read once by options_start before the program runs; constant afterwards. options_print may be
 * called at any time. One table in options.c holds name, meaning, and default of each.
 */
#ifndef COWSPY_BASE_OPTIONS_H
#define COWSPY_BASE_OPTIONS_H

#include <stdbool.h>

enum option_children { CHILDREN_ALL, CHILDREN_TOTALS };
enum option_scope { SCOPE_AUTO, SCOPE_MMAP, SCOPE_ALL };
enum option_mode { MODE_EXACT, MODE_TRUTH, MODE_STANDBY };

/* unsigned where a parser writes it, so that one parser serves all options of a form. */
struct options {
	const char *output;     /* COWSPY_OUTPUT: pattern of the report's path, NULL: stderr */
	unsigned signal;        /* COWSPY_SIGNAL: snapshot signal, 0: none */
	unsigned mode;          /* COWSPY_MODE: enum option_mode */
	unsigned mode_signal;   /* COWSPY_MODE_SIGNAL: switches between exact and truth, 0: none */
	unsigned scope;         /* COWSPY_SCOPE: enum option_scope */
	unsigned stack_depth;   /* COWSPY_STACK_DEPTH: 0 to 128 */
	unsigned map_rows;      /* COWSPY_PAGE_MAP: rows of page map for each mapping, 0: none */
	unsigned residency;     /* COWSPY_RESIDENCY: 0 or 1 */
	unsigned report_stacks; /* COWSPY_STACKS: stacks in the report */
	unsigned vma_share;     /* COWSPY_VMA_SHARE: per cent of vm.max_map_count, 0 to 90 */
	unsigned net;           /* COWSPY_NET: Syscall User Dispatch, 0 or 1 */
	unsigned follow;        /* COWSPY_FOLLOW: children too, 0 or 1 */
	unsigned children;      /* COWSPY_CHILDREN: enum option_children */
	unsigned compare;       /* COWSPY_COMPARE: MiB of pages kept as they were, 0: none */
	unsigned quiet;         /* COWSPY_QUIET: do not say where the report is, 0 or 1 */
};

extern struct options options;

/* Not an option: our mark in the environment of programs that one which we watch starts. */
#define OPTIONS_INHERITED "COWSPY_INHERITED=1"

/*
 * Parse envp. A value that cannot be parsed becomes the default, with one line on stderr if
 * `complain`.
 */
void options_start(char **envp, bool complain);

/* The table of options for people: aligned text, or a table in Markdown. */
enum options_form { OPTIONS_TEXT, OPTIONS_MARKDOWN };
void options_print(int fd, enum options_form form);

#endif
