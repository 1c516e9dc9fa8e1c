/*
 * Comparing the private mappings of several processes page by page.
 *
 * Mappings are matched by address and file (or both anonymous). Where they overlap only in part,
 * the common range is compared. A page's identity is its frame number, or its swap entry; each is
 * read twice, all processes in turn: what was the same both times was there in between, so two
 * equal identities are one page, whatever the processes did meanwhile.
 */
#ifndef COWSPY_TOOLS_COMPARE_H
#define COWSPY_TOOLS_COMPARE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "frames.h"
#include "process.h"
#include "states.h"

#define COMPARE_MOST 32 /* processes */

/* What a page is to the processes together. */
#define COMPARE_LETTERS "spC?zf!."
#define COMPARISONS 8

enum comparison {
	COMPARE_SAME,      /* one anonymous page in all of them */
	COMPARE_SOME,      /* one anonymous page in several of them, others have others */
	COMPARE_OWN,       /* anonymous, and no two of them have the same page */
	COMPARE_UNKNOWN,   /* shared since a fork with some process; frame numbers would tell */
	COMPARE_ZERO,      /* the zero page, copied by none */
	COMPARE_FILE,      /* the file's page, copied by none */
	COMPARE_CHANGED,   /* it changed between the two readings */
	COMPARE_UNTOUCHED, /* in none of them */
};

extern const char *const compare_names[COMPARISONS];
extern const char *const compare_keys[COMPARISONS];

/* A range that all processes map alike. */
struct common {
	uintptr_t start, end;
	const struct mapping *mapping; /* of the first process */
	uint64_t pages[COMPARISONS];
	uint64_t own[COMPARE_MOST]; /* anonymous, and in no other of these processes */
	struct letter_runs runs;    /* by COMPARE_LETTERS */
	bool incomplete;
};

struct compare {
	unsigned processes;
	struct process process[COMPARE_MOST];
	struct pagemap pagemap[COMPARE_MOST];
	struct frames frames;
	struct common *commons;
	size_t count;
	struct common total;
	uint64_t anonymous[COMPARE_MOST];               /* pages, in the common ranges */
	uint64_t same[COMPARE_MOST][COMPARE_MOST];      /* anonymous pages two have in common */
	uint64_t same_file[COMPARE_MOST][COMPARE_MOST]; /* file pages two have in common */
};

/*
 * Open and read them all. Returns 0, or -errno with *failed the index of the process it concerns.
 * What was opened is to be freed in either case.
 */
int compare_read(struct compare *compare, const pid_t *pids, unsigned count, unsigned *failed);
void compare_free(struct compare *compare);

int compare_print_json(const struct compare *compare);

#endif
