/* Four pages of a file: 0 and 2 written, 3 read, 1 untouched. */
#include "check.h"

static void write_first(char *page)
{
	page[10] = 'X';
}

static void write_third(char *page)
{
	memset(page, 'Y', 100);
}

int main(void)
{
	int fd = file_of_pages(4);
	char *pages = map_file(fd, 4);

	write_first(pages);
	write_third(pages + 2 * CHECK_PAGE);
	CHECK_EQUAL(read_byte(pages + 3 * CHECK_PAGE), 'd');

	expect_pages(pages, "C?Cf");
	expect_stack("write_first", "file", 1);
	expect_stack("write_third", "file", 1);
	expect_kind("file", 2);
	expect_all_attributed();

	CHECK_EQUAL(pages[10], 'X');
	CHECK_EQUAL(pages[11], 'a');
	CHECK_EQUAL(pages[2 * CHECK_PAGE + 99], 'Y');
	CHECK_EQUAL(pages[2 * CHECK_PAGE + 100], 'c');
	char original;
	CHECK_EQUAL(pread(fd, &original, 1, 10), 1);
	CHECK_EQUAL(original, 'a');
	puts("four pages: two copied");
	return 0;
}
