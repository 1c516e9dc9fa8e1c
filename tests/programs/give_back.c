/* 100 MiB read, written, given back: zero, copied, gone, and the machine's free memory follows. */
#include "check_api.h"

#define PAGES 25600
#define TRIES 5

/* Free pages of the machine, those that the processors keep at hand included. */
static long free_pages(void)
{
	char line[256];
	long sum = 0, pages;
	FILE *file = fopen("/proc/zoneinfo", "re");
	CHECK(file);
	while (fgets(line, sizeof(line), file))
		if (sscanf(line, " pages free %ld", &pages) == 1 ||
		    sscanf(line, " count: %ld", &pages) == 1)
			sum += pages;
	fclose(file);
	return sum;
}

static void expect_bits(const char *pages, unsigned char expected)
{
	static unsigned char bits[PAGES];
	if (!check_watched())
		return;
	CHECK_EQUAL(cowspy_copied(pages, sizeof(bits) * CHECK_PAGE, bits), 0);
	for (size_t i = 0; i < PAGES; i++)
		CHECK_EQUAL(bits[i], expected);
}

static void write_all(char *pages)
{
	for (size_t i = 0; i < PAGES; i++)
		pages[i * CHECK_PAGE] = 'x';
}

/* Whether about 100 MiB came back; other processes come and go meanwhile. */
static bool memory_follows(char *pages)
{
	long before = free_pages();
	CHECK_EQUAL(madvise(pages, PAGES * CHECK_PAGE, MADV_DONTNEED), 0);
	long back = free_pages() - before;
	return back > PAGES * 7 / 10 && back < PAGES * 4;
}

static void write_anew(char *pages)
{
	for (size_t i = 0; i < 10; i++)
		pages[i * CHECK_PAGE] = 'y';
}

int main(void)
{
	char *pages = map_anonymous(PAGES);
	for (size_t i = 0; i < PAGES; i++)
		CHECK_EQUAL(read_byte(pages + i * CHECK_PAGE), 0);
	expect_count(pages, PAGES, 'z', PAGES);
	expect_bits(pages, COWSPY_ZERO | COWSPY_RESIDENT);
	snapshot();

	write_all(pages);
	expect_count(pages, PAGES, 'C', PAGES);
	expect_bits(pages, COWSPY_COPIED | COWSPY_RESIDENT);
	expect_stack("write_all", "zero", PAGES);
	CHECK_EQUAL(smaps_bytes(pages, "Anonymous"), PAGES * CHECK_PAGE);
	snapshot();

	bool follows = memory_follows(pages);
	expect_count(pages, PAGES, '.', PAGES);
	expect_count(pages, PAGES, 'C', 0);
	expect_bits(pages, 0);
	expect_all_attributed();
	snapshot();
	write_anew(pages);
	expect_count(pages, PAGES, 'C', 10);
	expect_stack("write_anew", "fill", 10);
	expect_all_attributed();
	snapshot();
	for (int i = 0; i < TRIES && !follows; i++) {
		write_all(pages);
		follows = memory_follows(pages);
	}
	CHECK(follows);
	puts("given back");
	return 0;
}
