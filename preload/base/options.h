/*
 * COWSPY_* environment variables.
 *
 * Read once by options_start before the program runs; constant afterwards.
 */
#ifndef COWSPY_BASE_OPTIONS_H
#define COWSPY_BASE_OPTIONS_H

#include <stdbool.h>

enum option_scope { SCOPE_AUTO, SCOPE_MMAP, SCOPE_ALL };

struct options {
	const char *output;      /* COWSPY_OUTPUT: pattern of the report's path, NULL: stderr */
	int signal;              /* COWSPY_SIGNAL: snapshot signal, 0: none */
	enum option_scope scope; /* COWSPY_SCOPE */
	unsigned stack_depth;    /* COWSPY_STACK_DEPTH: 0 to STACK_DEPTH_MOST */
	unsigned map_rows;       /* COWSPY_PAGE_MAP: rows of page map for each mapping, 0: none */
	unsigned report_stacks;  /* COWSPY_STACKS: stacks in the report */
	bool net;                /* COWSPY_NET: Syscall User Dispatch */
};

extern struct options options;

/* Parse envp. A value that cannot be parsed is one line on stderr and the default. */
void options_start(char **envp);

/* The table of options as text, for README, man page and --help. */
void options_print(int fd);

#endif
