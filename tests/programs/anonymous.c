/* 100 MiB of anonymous memory: mapped, read, written, with a snapshot after each; and written
 * without having been read. */
#include "check.h"

#define PAGES 25600

static void read_all(const char *pages)
{
	for (size_t i = 0; i < PAGES; i++)
		CHECK_EQUAL(read_byte(pages + i * CHECK_PAGE), 0);
}

static void write_after_reading(char *pages)
{
	for (size_t i = 0; i < PAGES; i++)
		pages[i * CHECK_PAGE] = (char)i;
}

static void write_untouched(char *pages)
{
	for (size_t i = 0; i < PAGES; i++)
		pages[i * CHECK_PAGE + 4095] = (char)i;
}

static void verify(const char *pages, size_t offset)
{
	for (size_t i = 0; i < PAGES; i++)
		CHECK_EQUAL(pages[i * CHECK_PAGE + offset], (char)i);
}

int main(void)
{
	char *pages = map_anonymous(PAGES);
	expect_count(pages, PAGES, 'C', 0);
	expect_count(pages, PAGES, '.', PAGES);
	snapshot();

	read_all(pages);
	expect_count(pages, PAGES, 'z', PAGES);
	expect_count(pages, PAGES, 'C', 0);
	snapshot();

	write_after_reading(pages);
	expect_count(pages, PAGES, 'C', PAGES);
	expect_stack("write_after_reading", "zero", PAGES);
	expect_kind("zero", PAGES);
	expect_all_attributed();
	snapshot();
	verify(pages, 0);

	char *others = map_anonymous(PAGES);
	write_untouched(others);
	expect_count(others, PAGES, 'C', PAGES);
	expect_count(pages, PAGES, 'C', PAGES);
	expect_stack("write_untouched", "fill", PAGES);
	expect_stack("write_after_reading", "zero", PAGES);
	expect_kind("fill", PAGES);
	expect_all_attributed();
	verify(others, 4095);
	puts("anonymous: zero and fill");
	return 0;
}
