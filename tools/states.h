/*
 * Page states of a range of a private mapping, one letter a page, kept as runs of equal letters.
 */
#ifndef COWSPY_TOOLS_STATES_H
#define COWSPY_TOOLS_STATES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/text.h"
#include "observe/pagemap.h"

#define ROW_PAGES 64

/* In the order of tables. Untouched pages are in no run. */
#define STATE_LETTERS "CHSszf?."
#define STATES 8

enum state {
	STATE_COPIED,
	STATE_HUGE,
	STATE_SWAPPED,
	STATE_SHARED,
	STATE_ZERO,
	STATE_FILE,
	STATE_UNKNOWN, /* not present under userfaultfd write protection: empty or swapped */
	STATE_UNTOUCHED,
};

/* Names for tables and for JSON. */
extern const char *const state_names[STATES];
extern const char *const state_keys[STATES];

struct letter_run {
	uintptr_t start, end;
	char letter;
};

struct letter_runs {
	struct letter_run *run;
	size_t count, capacity;
};

struct states {
	struct letter_runs runs;
	uint64_t pages[STATES];
	uint64_t huge_pages; /* anonymous and mapped by a huge page, shared ones included */
	bool inferred;       /* zero pages are inferred and may be pages shared since a fork */
	int error;           /* -errno that ended the reading early */
};

/* The letter of one page; `anonymous`: the mapping has no file. */
char state_letter(page_flags_t flags, bool anonymous);

/* Read [start, end). On an error what was read stays, with `error` set. */
void states_read(struct states *states, const struct pagemap *pagemap, uintptr_t start,
		 uintptr_t end, bool anonymous);
void states_free(struct states *states);

/* Appended at the end; joined with the last run where equal. False without memory. */
bool letter_runs_add(struct letter_runs *runs, uintptr_t start, uintptr_t end, char letter);
void letter_runs_free(struct letter_runs *runs);

/* Letters of `pages` pages from start on; *cursor speeds up calls with growing addresses. */
void letter_runs_fill(const struct letter_runs *runs, size_t *cursor, uintptr_t start, size_t pages,
		      char *letters);

/*
 * Draw the map of [start, end): rows of 64 letters after their address. Rows equal to the one
 * before are folded into one line "*". With `before`, only rows that differ from it are drawn.
 * At most max_rows rows (0: all), then a line says how many are missing.
 */
void letter_runs_draw(const struct letter_runs *runs, const struct letter_runs *before,
		      uintptr_t start, uintptr_t end, size_t max_rows, struct text *text);

#endif
