/* Shared mappings are left alone, whatever mprotect makes of them. */
#include "check_api.h"

#define PAGES 8

static void write_all(char *pages)
{
	for (size_t i = 0; i < PAGES; i++)
		pages[i * CHECK_PAGE] = 's';
}

static void is_left_alone(char *pages)
{
	struct cowspy_page page;
	write_all(pages);
	for (size_t i = 0; i < PAGES && check_watched(); i++) {
		CHECK_EQUAL(api_bits(pages + i * CHECK_PAGE), COWSPY_RESIDENT);
		CHECK_EQUAL(cowspy_query(pages + i * CHECK_PAGE, &page), 0);
		CHECK(!page.is_tracked && !page.is_recorded && page.state == 'f');
	}
	check_note("undrawn %lx %d", (unsigned long)(uintptr_t)pages, PAGES);
}

int main(void)
{
	const size_t length = PAGES * CHECK_PAGE;
	char *shared = mmap(NULL, length, PROT_NONE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	CHECK(shared != MAP_FAILED);
	CHECK_EQUAL(mprotect(shared, length, PROT_READ | PROT_WRITE), 0);
	is_left_alone(shared);

	char *file = mmap(NULL, length, PROT_READ, MAP_SHARED, file_of_pages(PAGES), 0);
	CHECK(file != MAP_FAILED);
	CHECK_EQUAL(mprotect(file, length, PROT_READ | PROT_WRITE), 0);
	is_left_alone(file);

	/* One call over private and shared memory side by side. */
	char *both = map_anonymous(2 * PAGES);
	CHECK(mmap(both + length, length, PROT_NONE, MAP_SHARED | MAP_ANONYMOUS | MAP_FIXED, -1,
		   0) == both + length);
	CHECK_EQUAL(mprotect(both, 2 * length, PROT_READ | PROT_WRITE), 0);
	is_left_alone(both + length);
	write_all(both);
	expect_everywhere(both, "CCCCCCCC");
	expect_stack("write_all", "fill", PAGES);

	snapshot();

	/* After a fork everything private is watched, and shared memory still is not. */
	pid_t child = fork();
	if (child == 0) {
		shared[0] = 'c';
		both[0] = 'c';
		_exit(0);
	}
	CHECK_EQUAL(wait_for(child), 0);
	CHECK_EQUAL(shared[0], 'c');
	CHECK_EQUAL(both[0], 's');
	is_left_alone(shared);
	puts("shared memory: left alone");
	return 0;
}
