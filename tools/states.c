#include "states.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/sys.h"

const char *const state_names[STATES] = {
	"copied, mapped only here", "copied, huge page", "copied, swapped out",
	"shared since a fork",      "zero page",         "clean file page",
	"empty or swapped",         "untouched",
};

const char *const state_keys[STATES] = {
	"copied", "copied_huge", "copied_swapped", "shared", "zero", "file", "unknown", "untouched",
};

char state_letter(page_flags_t flags, bool anonymous)
{
	if (flags & PAGE_MARKER)
		return '?';
	if (flags & PAGE_ZERO)
		return 'z';
	/* Entries of the pagemap show the huge zero page as a file page. */
	if (flags & PAGE_FILE)
		return anonymous ? 'z' : 'f';
	if (flags & PAGE_SWAPPED)
		return 'S';
	if (!(flags & PAGE_PRESENT))
		return '.';
	if (!(flags & PAGE_EXCLUSIVE))
		return 's';
	return flags & PAGE_HUGE ? 'H' : 'C';
}

bool letter_runs_add(struct letter_runs *runs, uintptr_t start, uintptr_t end, char letter)
{
	struct letter_run *last = runs->count ? &runs->run[runs->count - 1] : NULL;
	if (last && last->end == start && last->letter == letter) {
		last->end = end;
		return true;
	}
	if (runs->count == runs->capacity) {
		size_t capacity = runs->capacity ? runs->capacity * 2 : 16;
		void *grown = reallocarray(runs->run, capacity, sizeof(*runs->run));
		if (!grown)
			return false;
		runs->run = grown;
		runs->capacity = capacity;
	}
	runs->run[runs->count++] = (struct letter_run){start, end, letter};
	return true;
}

void letter_runs_free(struct letter_runs *runs)
{
	free(runs->run);
	*runs = (struct letter_runs){0};
}

struct reading {
	struct states *states;
	bool anonymous;
};

static void add_pages(uintptr_t start, uintptr_t end, page_flags_t flags, void *context)
{
	struct reading *reading = context;
	struct states *states = reading->states;
	char letter = state_letter(flags, reading->anonymous);
	uint64_t pages = (end - start) >> PAGE_SHIFT;

	if (letter == '.')
		return;
	if (!letter_runs_add(&states->runs, start, end, letter))
		states->error = -ENOMEM;
	states->pages[strchr(STATE_LETTERS, letter) - STATE_LETTERS] += pages;
	if ((flags & PAGE_HUGE) && page_is_copied(flags))
		states->huge_pages += pages;
	if (flags & PAGE_ZERO_INFERRED)
		states->inferred = true;
}

void states_read(struct states *states, const struct pagemap *pagemap, uintptr_t start,
		 uintptr_t end, bool anonymous)
{
	struct reading reading = {states, anonymous};
	uint64_t touched = 0;
	int error;

	*states = (struct states){0};
	error = pagemap_runs(pagemap, start, end, true, add_pages, &reading);
	if (error)
		states->error = error;
	for (int i = 0; i < STATE_UNTOUCHED; i++)
		touched += states->pages[i];
	states->pages[STATE_UNTOUCHED] = ((end - start) >> PAGE_SHIFT) - touched;
}

void states_free(struct states *states)
{
	letter_runs_free(&states->runs);
}

/* Up to which address pages from `address` on have the letter returned; at most end. */
static char letter_at(const struct letter_runs *runs, size_t *cursor, uintptr_t address,
		      uintptr_t end, uintptr_t *until)
{
	const struct letter_run *run;
	while (*cursor < runs->count && runs->run[*cursor].end <= address)
		++*cursor;
	*until = end;
	if (*cursor == runs->count)
		return '.';
	run = &runs->run[*cursor];
	if (run->start > address) {
		if (run->start < end)
			*until = run->start;
		return '.';
	}
	if (run->end < end)
		*until = run->end;
	return run->letter;
}

void letter_runs_fill(const struct letter_runs *runs, size_t *cursor, uintptr_t start, size_t pages,
		      char *letters)
{
	uintptr_t end = start + (pages << PAGE_SHIFT), next = start;
	while (next < end) {
		uintptr_t until;
		char letter = letter_at(runs, cursor, next, end, &until);
		memset(letters + ((next - start) >> PAGE_SHIFT), letter,
		       (until - next) >> PAGE_SHIFT);
		next = until;
	}
}

/* A map being drawn: row after row, long stretches of one letter in one step. */
struct drawing {
	const struct letter_runs *runs, *before;
	size_t cursor, cursor_before;
	size_t drawn, max_rows;
	struct text *text;
	char last[ROW_PAGES]; /* the row drawn last */
	size_t last_length;
	bool folded; /* the "*" for it is drawn */
};

static void draw_row(struct drawing *drawing, uintptr_t address, const char *letters, size_t length)
{
	if (length == drawing->last_length && memcmp(letters, drawing->last, length) == 0) {
		if (!drawing->folded)
			text_string(drawing->text, "  *\n");
		drawing->folded = true;
		return;
	}
	text_string(drawing->text, "  ");
	text_hex(drawing->text, address, 12);
	text_character(drawing->text, ' ');
	text_bytes(drawing->text, letters, length);
	text_character(drawing->text, '\n');
	memcpy(drawing->last, letters, length);
	drawing->last_length = length;
	drawing->folded = false;
	drawing->drawn++;
}

/* Does the row differ from what it was before? A row is then no repetition of the one above. */
static bool is_changed(struct drawing *drawing, uintptr_t address, const char *letters,
		       size_t length)
{
	char before[ROW_PAGES];
	if (!drawing->before)
		return true;
	letter_runs_fill(drawing->before, &drawing->cursor_before, address, length, before);
	if (memcmp(before, letters, length) != 0)
		return true;
	drawing->last_length = 0;
	return false;
}

/* How many whole rows from address on consist of one letter, now and before. */
static uintptr_t equal_rows(struct drawing *drawing, uintptr_t address, uintptr_t end)
{
	uintptr_t until, until_before;
	letter_at(drawing->runs, &drawing->cursor, address, end, &until);
	if (drawing->before) {
		letter_at(drawing->before, &drawing->cursor_before, address, end, &until_before);
		until = until_before < until ? until_before : until;
	}
	return (until - address) / (ROW_PAGES * PAGE_SIZE);
}

void letter_runs_draw(const struct letter_runs *runs, const struct letter_runs *before,
		      uintptr_t start, uintptr_t end, size_t max_rows, struct text *text)
{
	struct drawing drawing = {
		.runs = runs, .before = before, .max_rows = max_rows, .text = text};
	const uintptr_t row_size = ROW_PAGES * PAGE_SIZE;

	for (uintptr_t row = start; row < end;) {
		uintptr_t stop = end - row < row_size ? end : row + row_size;
		size_t length = (stop - row) >> PAGE_SHIFT;
		uintptr_t equal = equal_rows(&drawing, row, end);
		char letters[ROW_PAGES];

		if (max_rows && drawing.drawn == max_rows) {
			text_string(text, "  ... ");
			text_decimal(text, (end - row + row_size - 1) / row_size);
			text_string(text, " more rows (--all shows them)\n");
			return;
		}
		letter_runs_fill(runs, &drawing.cursor, row, length, letters);
		if (is_changed(&drawing, row, letters, length)) {
			draw_row(&drawing, row, letters, length);
			if (equal > 1)
				draw_row(&drawing, row, letters, length);
		}
		row = equal > 1 ? row + equal * row_size : stop;
	}
}
