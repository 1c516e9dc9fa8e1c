/* sources: preload/base/text.c preload/base/sys.c */
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/text.h"

static char data[256];
static struct text text;

static void start(void)
{
	text_start(&text, -1, data, sizeof(data) - 1);
}

static const char *result(void)
{
	data[text.length] = 0;
	return data;
}

#define assert_text(call, expected) \
	do { \
		start(); \
		call; \
		assert_string_equal(result(), expected); \
		assert_int_equal(text.error, 0); \
	} while (0)

static void test_numbers(void **state)
{
	(void)state;
	assert_text(text_decimal(&text, 0), "0");
	assert_text(text_decimal(&text, UINT64_MAX), "18446744073709551615");
	assert_text(text_decimal_right(&text, 42, 5), "   42");
	assert_text(text_decimal_right(&text, 123456, 5), "123456");
	assert_text(text_hex(&text, 0, 1), "0");
	assert_text(text_hex(&text, 0x7fa0, 12), "000000007fa0");
	assert_text(text_hex(&text, UINT64_MAX, 4), "ffffffffffffffff");
	assert_text(text_right(&text, "ab", 2, 4), "  ab");
}

static void test_pad_goes_to_a_column(void **state)
{
	(void)state;
	assert_text((text_string(&text, "x\nab"), text_pad(&text, 4), text_string(&text, "c")),
		    "x\nab  c");
	assert_text((text_string(&text, "abcdef"), text_pad(&text, 4), text_string(&text, "c")),
		    "abcdef c");
	assert_text((text_string(&text, "\xc3\xa4"), text_pad(&text, 3), text_string(&text, "c")),
		    "\xc3\xa4  c");
	assert_text(text_pad(&text, 0), "");
}

static void test_size(void **state)
{
	(void)state;
	assert_text(text_size(&text, 0), "0 B");
	assert_text(text_size(&text, 1023), "1023 B");
	assert_text(text_size(&text, 1024), "1.0 KiB");
	assert_text(text_size(&text, 4096), "4.0 KiB");
	assert_text(text_size(&text, 1536), "1.5 KiB");
	assert_text(text_size(&text, 100u << 20), "100.0 MiB");
	assert_text(text_size(&text, (1u << 20) - 1), "1.0 MiB");
	assert_text(text_size(&text, (1ull << 40) - 1), "1.0 TiB");
	assert_text(text_size(&text, (1ull << 40) + (1ull << 39)), "1.5 TiB");
	assert_text(text_size(&text, UINT64_MAX), "16.0 EiB");
	assert_text(text_size(&text, 1ull << 60), "1.0 EiB");
	assert_text(text_size_right(&text, 4096, 10), "   4.0 KiB");
}

static void test_percent_is_honest_at_the_ends(void **state)
{
	(void)state;
	assert_text(text_percent(&text, 713, 1000), "71.3 %");
	assert_text(text_percent(&text, 2, 3), "66.7 %");
	assert_text(text_percent(&text, 0, 10), "0.0 %");
	assert_text(text_percent(&text, 10, 10), "100.0 %");
	assert_text(text_percent(&text, 1, 1000000), "0.1 %");
	assert_text(text_percent(&text, 999999, 1000000), "99.9 %");
	assert_text(text_percent(&text, UINT64_MAX - 1, UINT64_MAX), "99.9 %");
	assert_text(text_percent(&text, 1, UINT64_MAX), "0.1 %");
	assert_text(text_percent(&text, UINT64_MAX / 2, UINT64_MAX), "50.0 %");
	assert_text(text_percent(&text, 3, 2), "150.0 %");
	assert_text(text_percent(&text, 0, 0), "-");
	assert_text(text_percent_right(&text, 1, 2, 8), "  50.0 %");
}

static void test_duration(void **state)
{
	(void)state;
	assert_text(text_duration(&text, 0), "0 ns");
	assert_text(text_duration(&text, 999), "999 ns");
	assert_text(text_duration(&text, 4500), "4.5 us");
	assert_text(text_duration(&text, 999949), "999.9 us");
	assert_text(text_duration(&text, 999950), "1.0 ms");
	assert_text(text_duration(&text, 12345678), "12.3 ms");
	assert_text(text_duration(&text, 999949999), "999.9 ms");
	assert_text(text_duration(&text, 999950000), "1.000 s");
	assert_text(text_duration(&text, 1234000000), "1.234 s");
	assert_text(text_duration(&text, 59999600000), "60.000 s");
	assert_text(text_duration(&text, UINT64_MAX), "18446744073.710 s");
}

static void test_untrusted(void **state)
{
	static const struct {
		const char *given, *shown;
	} cases[] = {
		{"plain /usr/bin/x", "plain /usr/bin/x"},
		{"\x1b[31mred\n", "\\x1b[31mred\\x0a"},
		{"back\\slash", "back\\x5cslash"},
		{"\xc3\xa4 \xe2\x82\xac \xf0\x9f\x90\x84",
		 "\xc3\xa4 \xe2\x82\xac \xf0\x9f\x90\x84"},
		{"\xff\xfe", "\\xff\\xfe"},
		{"\xc0\xaf", "\\xc0\\xaf"},                   /* overlong */
		{"\xe0\x80\xaf", "\\xe0\\x80\\xaf"},          /* overlong */
		{"\xed\xa0\x80", "\\xed\\xa0\\x80"},          /* surrogate */
		{"\xf4\x90\x80\x80", "\\xf4\\x90\\x80\\x80"}, /* beyond Unicode */
		{"\xc2\x9b"
		 "31m",
		 "\\xc2\\x9b31m"},                   /* C1 control sequence */
		{"\xe2\x80\xae", "\\xe2\\x80\\xae"}, /* right-to-left override */
		{"\xe2\x82", "\\xe2\\x82"},          /* cut off */
		{"\xe2"
		 "a",
		 "\\xe2"
		 "a"},
		{"\x7f", "\\x7f"},
	};
	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
		assert_text(text_untrusted(&text, cases[i].given, strlen(cases[i].given)),
			    cases[i].shown);
	assert_text(text_untrusted(&text, "a\0b", 3), "a\\x00"
						      "b");
}

static void test_memory_overflow_is_an_error(void **state)
{
	char small[4];
	(void)state;
	text_start(&text, -1, small, sizeof(small));
	text_string(&text, "abcd");
	assert_int_equal(text.error, 0);
	text_string(&text, "e");
	assert_int_equal(text.error, -ENOSPC);
	assert_int_equal(text.length, 4);
	assert_memory_equal(small, "abcd", 4);
	text_decimal(&text, 7);
	assert_int_equal(text_flush(&text), -ENOSPC);
}

static void test_long_text_reaches_the_file(void **state)
{
	char buffer[7], read_back[400], expected[400];
	size_t total = 0;
	int ends[2];
	(void)state;
	assert_int_equal(pipe(ends), 0);
	text_start(&text, ends[1], buffer, sizeof(buffer));
	for (int i = 0; i < 100; i++) {
		text_decimal_right(&text, (uint64_t)i, 3);
		total += (size_t)sprintf(expected + total, "%3d", i);
	}
	assert_int_equal(text_flush(&text), 0);
	assert_int_equal(read(ends[0], read_back, sizeof(read_back)), (int)total);
	assert_memory_equal(read_back, expected, total);
	close(ends[0]);
	close(ends[1]);
}

static void test_failed_write_is_kept(void **state)
{
	char buffer[8];
	int fd = open("/dev/full", O_WRONLY);
	(void)state;
	assert_true(fd >= 0);
	text_start(&text, fd, buffer, sizeof(buffer));
	errno = 77;
	text_string(&text, "longer than the buffer");
	assert_int_equal(text.error, -ENOSPC);
	text_string(&text, "nothing more happens");
	assert_int_equal(text_flush(&text), -ENOSPC);
	assert_int_equal(errno, 77);
	close(fd);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_numbers),
		cmocka_unit_test(test_pad_goes_to_a_column),
		cmocka_unit_test(test_size),
		cmocka_unit_test(test_percent_is_honest_at_the_ends),
		cmocka_unit_test(test_duration),
		cmocka_unit_test(test_untrusted),
		cmocka_unit_test(test_memory_overflow_is_an_error),
		cmocka_unit_test(test_long_text_reaches_the_file),
		cmocka_unit_test(test_failed_write_is_kept),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
