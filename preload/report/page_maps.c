/* Page maps: one letter a page, 64 to a row, equal rows folded. */
#include <string.h>

#include "base/options.h"
#include "base/sys.h"
#include "report/parts.h"

#define ROW_PAGES 64
#define RESIDENCY_COLUMN (17 + ROW_PAGES + 2)
#define ROW_SIZE (ROW_PAGES * PAGE_SIZE)
#define MAPPINGS_FULL 16 /* as many rows in all as this many mappings could have */

/* A walk over a mapping's rows. Runs are in order, so each is looked at once or twice. */
struct row_walk {
	const struct snapshot *snapshot;
	const struct mapping *mapping;
	size_t run; /* the first that may reach into the row at `at` */
	uintptr_t at;
};

/* `count` equal rows of `length` letters. */
struct rows {
	uintptr_t start;
	uint64_t count;
	size_t length;
	char letters[ROW_PAGES];
	char resident[ROW_PAGES];
};

static const struct page_run *run_at(const struct row_walk *walk, size_t index)
{
	if (index >= walk->mapping->runs)
		return NULL;
	return list_at(&walk->snapshot->runs, walk->mapping->run + index);
}

static uintptr_t run_end(const struct page_run *run)
{
	return run->start + ((uintptr_t)run->pages << PAGE_SHIFT);
}

static void draw_row(const struct row_walk *walk, struct rows *rows)
{
	uintptr_t end = rows->start + rows->length * PAGE_SIZE;
	const struct page_run *run;

	for (size_t i = walk->run; (run = run_at(walk, i)) && run->start < end; i++) {
		uintptr_t from = run->start > rows->start ? run->start : rows->start;
		uintptr_t to = run_end(run) < end ? run_end(run) : end;
		memset(rows->letters + (from - rows->start) / PAGE_SIZE, (char)run->letter,
		       (to - from) / PAGE_SIZE);
	}
}

/*
 * What is in memory, as mincore(2) says. Of anonymous memory the letters tell it; of a file also
 * pages count that are in the page cache only.
 */
static void draw_residency(const struct row_walk *walk, struct rows *rows)
{
	unsigned char bytes[ROW_PAGES];
	bool file = walk->mapping->region.file &&
		    sys_call3(SYS_mincore, rows->start, rows->length * PAGE_SIZE, bytes) == 0;

	for (size_t i = 0; i < rows->length; i++) {
		char letter = rows->letters[i];
		bool resident = letter != '.' && letter != 'S' && letter != '?';
		if (file)
			resident = bytes[i] & 1;
		rows->resident[i] = resident ? '#' : '.';
	}
}

/* How many rows from here on lie within one run or one gap; 1 when the row is mixed or short. */
static uint64_t rows_alike(const struct row_walk *walk)
{
	const struct page_run *run = run_at(walk, walk->run);
	uintptr_t end = walk->mapping->region.end;

	if (run && run->start > walk->at)
		end = run->start;
	else if (run)
		end = run_end(run);
	return end - walk->at >= ROW_SIZE ? (end - walk->at) / ROW_SIZE : 1;
}

/* False at the mapping's end. */
static bool next_rows(struct row_walk *walk, struct rows *rows)
{
	uintptr_t rest = walk->mapping->region.end - walk->at;
	const struct page_run *run;

	if (!rest)
		return false;
	while ((run = run_at(walk, walk->run)) && run_end(run) <= walk->at)
		walk->run++;
	rows->start = walk->at;
	rows->length = (rest < ROW_SIZE ? rest : ROW_SIZE) / PAGE_SIZE;
	rows->count = options.residency && walk->mapping->region.file ? 1 : rows_alike(walk);
	memset(rows->letters, '.', sizeof(rows->letters));
	draw_row(walk, rows);
	if (options.residency)
		draw_residency(walk, rows);
	walk->at += rest < ROW_SIZE ? rest : rows->count * ROW_SIZE;
	return true;
}

static bool rows_equal(const struct rows *left, const struct rows *right)
{
	return left->length == right->length &&
	       memcmp(left->letters, right->letters, left->length) == 0 &&
	       (!options.residency || memcmp(left->resident, right->resident, left->length) == 0);
}

static void print_row(struct text *text, uintptr_t address, const struct rows *rows)
{
	text_string(text, "  0x");
	text_hex(text, address, 12);
	text_character(text, ' ');
	text_bytes(text, rows->letters, rows->length);
	if (options.residency) {
		text_pad(text, RESIDENCY_COLUMN);
		text_bytes(text, rows->resident, rows->length);
	}
	text_character(text, '\n');
}

static void print_rows(struct text *text, const struct rows *rows)
{
	print_row(text, rows->start, rows);
	if (rows->count == 2)
		print_row(text, rows->start + ROW_SIZE, rows);
	if (rows->count > 2) {
		text_string(text, "  ... ");
		text_decimal(text, rows->count - 1);
		text_string(text, " rows like the one above\n");
	}
}

/* Returns how many of `budget` rows were drawn. */
static uint64_t draw_mapping(struct report *report, const struct mapping *mapping, uint64_t budget)
{
	struct row_walk walk = {report->snapshot, mapping, 0, mapping->region.start};
	uint64_t drawn = 0, left_out = 0;
	struct rows rows, next;
	bool more = next_rows(&walk, &rows);

	while (more) {
		while ((more = next_rows(&walk, &next)) && rows_equal(&rows, &next))
			rows.count += next.count;
		if (drawn < budget) {
			print_rows(&report->text, &rows);
			drawn += rows.count == 2 ? 2 : 1;
		} else {
			left_out += rows.count;
		}
		rows = next;
	}
	if (left_out) {
		text_string(&report->text, "  and ");
		text_decimal(&report->text, left_out);
		text_string(&report->text, " rows more; a higher COWSPY_PAGE_MAP draws them\n");
	}
	return drawn;
}

static void legend(struct text *text)
{
	text_string(text, "\npage maps, 64 pages a row, one letter a page\n"
			  "  . untouched    f clean file page    z zero page    C copied\n"
			  "  s shared with another process since a fork, or merged by KSM    "
			  "i ours alone, not written since the fork\n"
			  "  r written in place after a fork: no copy      "
			  "S copied, swapped    H copied, huge    ? unknown\n");
	if (options.residency)
		text_string(text, "  on the right: # in memory, as mincore(2) says    . not\n");
}

void report_page_maps(struct report *report)
{
	const struct list *ranks = &report->mapping_ranks;
	uint64_t budget = (uint64_t)options.map_rows * MAPPINGS_FULL;
	size_t left_out = 0, drawn = 0;

	for (size_t i = 0; i < ranks->count && options.map_rows; i++) {
		const struct rank *rank = list_at(ranks, i);
		const struct mapping *mapping = snapshot_mapping(report->snapshot, rank->index);
		if (!mapping->runs || (mapping->region.inherited && !mapping->copied))
			continue;
		if (!budget) {
			left_out++;
			continue;
		}
		if (!drawn++)
			legend(&report->text);
		text_string(&report->text, "\n  ");
		report_mapping_name(report, mapping);
		text_string(&report->text, ", ");
		text_size(&report->text, mapping->region.end - mapping->region.start);
		text_character(&report->text, '\n');
		uint64_t rows = budget < options.map_rows ? budget : options.map_rows;
		budget -= draw_mapping(report, mapping, rows);
	}
	if (left_out) {
		text_string(&report->text, "\n  page maps of ");
		text_decimal(&report->text, left_out);
		text_string(&report->text, " mappings more; a higher COWSPY_PAGE_MAP draws them\n");
	}
}
