/* sources: tools/states.c preload/observe/pagemap.c preload/base/text.c preload/base/sys.c */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "../../tools/states.h"

#define PAGE ((uintptr_t)4096)
#define ROW (ROW_PAGES * PAGE)
#define START ((uintptr_t)0x10000000)

static char drawn[4096];

static void add(struct letter_runs *runs, size_t page, size_t pages, char letter)
{
	uintptr_t start = START + page * PAGE;
	assert_true(letter_runs_add(runs, start, start + pages * PAGE, letter));
}

static const char *draw(const struct letter_runs *runs, const struct letter_runs *before,
			size_t pages, size_t max_rows)
{
	struct text text;
	text_start(&text, -1, drawn, sizeof(drawn) - 1);
	letter_runs_draw(runs, before, START, START + pages * PAGE, max_rows, &text);
	assert_int_equal(text.error, 0);
	drawn[text.length] = 0;
	return drawn;
}

#define DOTS16 "................"
#define DOTS64 DOTS16 DOTS16 DOTS16 DOTS16
#define DOTS60 DOTS16 DOTS16 DOTS16 "............"

static void test_runs_join(void **state)
{
	struct letter_runs runs = {0};
	(void)state;
	add(&runs, 0, 2, 'C');
	add(&runs, 2, 3, 'C');
	add(&runs, 5, 1, 'z');
	add(&runs, 7, 1, 'z');
	assert_int_equal(runs.count, 3);
	assert_int_equal(runs.run[0].end, START + 5 * PAGE);
	letter_runs_free(&runs);
}

static void test_fill(void **state)
{
	struct letter_runs runs = {0};
	size_t cursor = 0;
	char letters[9] = {0};
	(void)state;
	add(&runs, 2, 3, 'C');
	add(&runs, 7, 100, 'f');
	letter_runs_fill(&runs, &cursor, START, 8, letters);
	assert_string_equal(letters, "..CCC..f");
	letter_runs_fill(&runs, &cursor, START + 101 * PAGE, 8, letters);
	assert_string_equal(letters, "ffffff..");
	letter_runs_free(&runs);
}

static void test_draw_short(void **state)
{
	struct letter_runs runs = {0};
	(void)state;
	add(&runs, 1, 2, 'C');
	assert_string_equal(draw(&runs, NULL, 4, 0), "  000010000000 .CC.\n");
	letter_runs_free(&runs);
}

/* A terabyte with two pages is a few lines, drawn at once. */
static void test_draw_folds(void **state)
{
	struct letter_runs runs = {0};
	const size_t middle = (size_t)1 << 27;
	(void)state;
	add(&runs, 0, 4, 'C');
	add(&runs, middle, 4, 'z');
	assert_string_equal(draw(&runs, NULL, (size_t)1 << 28, 0), "  000010000000 CCCC" DOTS60 "\n"
								   "  000010040000 " DOTS64 "\n"
								   "  *\n"
								   "  008010000000 zzzz" DOTS60 "\n"
								   "  008010040000 " DOTS64 "\n"
								   "  *\n");
	letter_runs_free(&runs);
}

/* Rows that are equal but not of one letter are folded too. */
static void test_draw_folds_patterns(void **state)
{
	struct letter_runs runs = {0};
	(void)state;
	for (size_t row = 0; row < 5; row++)
		add(&runs, row * ROW_PAGES, 4, row == 4 ? 'z' : 'C');
	assert_string_equal(draw(&runs, NULL, 4 * ROW_PAGES + 64, 0),
			    "  000010000000 CCCC" DOTS60 "\n"
			    "  *\n"
			    "  000010100000 zzzz" DOTS60 "\n");
	letter_runs_free(&runs);
}

static void test_draw_stops(void **state)
{
	struct letter_runs runs = {0};
	(void)state;
	for (size_t row = 0; row < 10; row++)
		add(&runs, row * ROW_PAGES, 4, row % 2 ? 'C' : 'z');
	assert_string_equal(draw(&runs, NULL, 9 * ROW_PAGES + 5, 2),
			    "  000010000000 zzzz" DOTS60 "\n"
			    "  000010040000 CCCC" DOTS60 "\n"
			    "  ... 8 more rows (--all shows them)\n");
	letter_runs_free(&runs);
}

static void test_draw_changes(void **state)
{
	struct letter_runs runs = {0}, before = {0};
	(void)state;
	add(&before, 0, 4, 'C');
	add(&before, 10 * ROW_PAGES, 4, 'C');
	add(&runs, 0, 4, 'C');
	add(&runs, 10 * ROW_PAGES, 4, 's');
	add(&runs, 1000 * ROW_PAGES, 4, 's');
	assert_string_equal(draw(&runs, &before, 2000 * ROW_PAGES, 0),
			    "  000010280000 ssss" DOTS60 "\n"
			    "  00001fa00000 ssss" DOTS60 "\n");
	assert_string_equal(draw(&runs, &runs, 2000 * ROW_PAGES, 0), "");
	letter_runs_free(&runs);
	letter_runs_free(&before);
}

static void test_letters(void **state)
{
	(void)state;
	assert_int_equal(state_letter(PAGE_PRESENT | PAGE_FILE, false), 'f');
	assert_int_equal(state_letter(PAGE_PRESENT | PAGE_FILE, true), 'z');
	assert_int_equal(state_letter(PAGE_PRESENT, false), 's');
	assert_int_equal(state_letter(PAGE_PRESENT | PAGE_HUGE, false), 's');
	assert_int_equal(state_letter(PAGE_PRESENT | PAGE_EXCLUSIVE, false), 'C');
	assert_int_equal(state_letter(PAGE_PRESENT | PAGE_EXCLUSIVE | PAGE_HUGE, false), 'H');
	assert_int_equal(state_letter(PAGE_SWAPPED, false), 'S');
	assert_int_equal(state_letter(PAGE_PRESENT | PAGE_ZERO, true), 'z');
	assert_int_equal(state_letter(PAGE_MARKER, true), '?');
	assert_int_equal(state_letter(0, true), '.');
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_runs_join),           cmocka_unit_test(test_fill),
		cmocka_unit_test(test_draw_short),          cmocka_unit_test(test_draw_folds),
		cmocka_unit_test(test_draw_folds_patterns), cmocka_unit_test(test_draw_stops),
		cmocka_unit_test(test_draw_changes),        cmocka_unit_test(test_letters),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
