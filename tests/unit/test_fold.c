/* sources: tools/fold.c */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "../../tools/fold.h"

/* In memory of its own size, so that a sanitizer sees what reads behind it. */
static void assert_folded(const char *line, size_t width, const char *expected)
{
	size_t length = strlen(line), size;
	char *copy = malloc(length + !length), *result;
	FILE *stream = open_memstream(&result, &size);

	memcpy(copy, line, length);
	fold_line(copy, length, width, stream);
	fclose(stream);
	assert_string_equal(result, expected);
	free(result);
	free(copy);
}

static void test_what_fits_stays(void **state)
{
	(void)state;
	assert_folded("", 20, "");
	assert_folded("\n", 20, "\n");
	assert_folded("twenty characters...\n", 20, "twenty characters...\n");
	assert_folded("twenty char\xc3\xa4\xc3\xa4ters...\n", 20,
		      "twenty char\xc3\xa4\xc3\xa4ters...\n");
	assert_folded("no newline", 20, "no newline");
}

static void test_between_words(void **state)
{
	(void)state;
	assert_folded("one two three four five six seven\n", 26,
		      "one two three four five\n    six seven\n");
	assert_folded("  a limit, with an indentation of two\n", 30,
		      "  a limit, with an indentation\n      of two\n");
	/* A break exactly where the line is full. */
	assert_folded("12345 7890 234567890 next\n", 20, "12345 7890 234567890\n    next\n");
	assert_folded("12345 7890 2345678901 next\n", 20, "12345 7890\n    2345678901 next\n");
}

static void test_columns_of_tables_stay_whole(void **state)
{
	(void)state;
	assert_folded("    12.3 MiB  a name of it  fork 12, fill 1\n", 38,
		      "    12.3 MiB  a name of it\n        fork 12, fill 1\n");
	/* Numbers are right-aligned: what follows stands the same below all of them. */
	assert_folded("     2.3 MiB  a name of it  fork 12, fill 1\n", 38,
		      "     2.3 MiB  a name of it\n        fork 12, fill 1\n");
	assert_folded(
		"                      deep within (module of it)\n", 44,
		"                      deep within (module of\n                        it)\n");
}

static void test_a_long_word_is_cut(void **state)
{
	(void)state;
	assert_folded("/usr/lib/x86_64-linux-gnu/libc.so.6\n", 30,
		      "/usr/lib/x86_64-linux-gnu/libc\n    .so.6\n");
	assert_folded("          \n", 4, "    \n");
	assert_folded("abc def\n", 1, "a\nb\nc\nd\ne\nf\n");
}

/* All bytes but spaces come out again, in order, and no line is too wide. */
static void test_nothing_is_lost(void **state)
{
	(void)state;
	for (unsigned seed = 1; seed < 2000; seed++) {
		char line[201], *result;
		size_t size, length = seed % 200, width = 1 + seed % 90, column = 0, at = 0;
		FILE *stream = open_memstream(&result, &size);

		srand(seed);
		for (size_t i = 0; i < length; i++)
			line[i] = rand() % 4 ? (char)('a' + rand() % 26) : ' ';
		line[length] = '\n';
		fold_line(line, length + 1, width, stream);
		fclose(stream);
		for (size_t i = 0; i < size; i++) {
			column = result[i] == '\n' ? 0 : column + 1;
			assert_true(column <= width);
			if (result[i] == ' ' || result[i] == '\n')
				continue;
			while (line[at] == ' ')
				at++;
			assert_int_equal(result[i], line[at++]);
		}
		while (line[at] == ' ')
			at++;
		assert_int_equal(at, length);
		free(result);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_what_fits_stays),
		cmocka_unit_test(test_between_words),
		cmocka_unit_test(test_columns_of_tables_stay_whole),
		cmocka_unit_test(test_a_long_word_is_cut),
		cmocka_unit_test(test_nothing_is_lost),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
