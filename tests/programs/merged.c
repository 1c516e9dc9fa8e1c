/* KSM takes copies back: equal pages become one. test_ksm.sh lets it run. */
/* run by: test_ksm.sh */
#include "check_api.h"

#define PAGES 64

static bool all_shared(const char *pages)
{
	char letters[PAGES + 1];
	check_letters(pages, PAGES, letters);
	return strspn(letters, "s") == PAGES;
}

int main(void)
{
	char *pages = map_anonymous(PAGES);
	memset(pages, 'k', PAGES * CHECK_PAGE);
	expect_count(pages, PAGES, 'C', PAGES);
	snapshot();
	CHECK_EQUAL(madvise(pages, PAGES * CHECK_PAGE, MADV_MERGEABLE), 0);
	for (int i = 0; i < 300 && !all_shared(pages); i++)
		usleep(100000);
	expect_count(pages, PAGES, 's', PAGES);
	CHECK(!check_watched() || api_bits(pages) == (COWSPY_SHARED | COWSPY_RESIDENT));
	snapshot();
	/* A write makes a copy again. */
	pages[3 * CHECK_PAGE] = 'x';
	expect_count(pages, PAGES, 's', PAGES - 1);
	expect_api(pages + 3 * CHECK_PAGE, "C");
	puts("merged");
	return 0;
}
