/* Kernel truth alone: right page states and sums, no first writes, and no switching. */
/* environment: COWSPY_MODE=truth */
#include "check_api.h"

int main(void)
{
	char *pages = map_anonymous(8);
	char *file = map_file(file_of_pages(8), 8);
	CHECK_EQUAL(read_byte(pages + CHECK_PAGE), 0);
	pages[2 * CHECK_PAGE] = 1;
	pages[4 * CHECK_PAGE] = 1;
	file[CHECK_PAGE] = 1;
	expect_pages(pages, ".zC.C...");
	expect_count(file, 8, 'C', 1);
	expect_kind("fill", 0);
	check_note("protected %lx no", (unsigned long)(uintptr_t)pages);
	if (check_watched())
		CHECK(cowspy_mode(COWSPY_MODE_EXACT) == -1 && errno == ENOTSUP);
	CHECK_EQUAL(cowspy_mode(COWSPY_MODE_TRUTH), 0);
	snapshot();
	if (!fork()) {
		pages[2 * CHECK_PAGE] = 2;
		expect_pages(pages, ".zC.s...");
		exit(0);
	}
	int status;
	CHECK(wait(&status) > 0);
	CHECK_EQUAL(status, 0);
	puts("as the kernel says");
	return 0;
}
