/* What the tests of include/cowspy.h share: its answers, in the letters of check.h. */
#ifndef COWSPY_TESTS_CHECK_API_H
#define COWSPY_TESTS_CHECK_API_H

#include <cowspy.h>

#include "check.h"

static CHECK_UNUSED char api_letter(unsigned char bits)
{
	if (bits & COWSPY_SWAPPED)
		return 'S';
	if (bits & COWSPY_ZERO)
		return 'z';
	if (bits & COWSPY_SHARED)
		return 's';
	if (bits & COWSPY_REUSED)
		return 'r';
	if (bits & COWSPY_COPIED)
		return 'C';
	return bits & COWSPY_RESIDENT ? 'f' : '.';
}

/* cowspy_copied and cowspy_query say the same, and these letters: as in expect_pages, but 'i' is 'C'
 * here, and 'f' also what is in the page cache only. */
#define expect_api(address, letters) check_expect_api(__FILE__, __LINE__, address, letters)

static CHECK_UNUSED void check_expect_api(const char *file, int line, const char *address,
					  const char *letters)
{
	unsigned char bits[256];
	size_t n = strlen(letters);
	if (!check_watched())
		return;
	CHECK(n <= sizeof(bits));
	CHECK_EQUAL(cowspy_copied(address, n * CHECK_PAGE, bits), 0);
	for (size_t i = 0; i < n; i++) {
		struct cowspy_page page;
		char got = api_letter(bits[i]);
		if (letters[i] == '?' ? got != '.' && got != 'f' : got != letters[i])
			check_fail(file, line, "page %zu of %p: expected %c of %s, got %c", i,
				   (const void *)address, letters[i], letters, got);
		CHECK_EQUAL(cowspy_query(address + i * CHECK_PAGE + 7, &page), 0);
		CHECK_EQUAL(page.bits, bits[i]);
		CHECK((uintptr_t)address + i * CHECK_PAGE >= page.start);
		CHECK((uintptr_t)address + i * CHECK_PAGE < page.end);
	}
}

/* All three at once: the kernel, the report, and the API. */
#define expect_everywhere(address, letters) \
	do { \
		expect_pages(address, letters); \
		expect_api(address, letters); \
	} while (0)

/* The kernel and the API, of a state that does not last until the next report. */
#define expect_now(address, letters) check_expect_now(__FILE__, __LINE__, address, letters)

static CHECK_UNUSED void check_expect_now(const char *file, int line, const char *address,
					  const char *letters)
{
	char got[257];
	size_t n = strlen(letters);
	CHECK(n < sizeof(got));
	check_letters(address, n, got);
	for (size_t i = 0; i < n; i++)
		if (!check_letter_fits(letters[i], got[i]))
			check_fail(file, line, "pages at %p: expected %s, the kernel says %s",
				   (const void *)address, letters, got);
	check_expect_api(file, line, address, letters);
}

/* The bits of one page; 0 without the library. */
static CHECK_UNUSED unsigned char api_bits(const char *page)
{
	unsigned char bits = 0;
	CHECK_EQUAL(cowspy_copied(page, CHECK_PAGE, &bits), check_watched() ? 0 : -1);
	return bits;
}

/* Bytes of a mapping's line in smaps, for the mapping that holds the address. */
static CHECK_UNUSED long smaps_bytes(const void *address, const char *key)
{
	char line[4096];
	unsigned long start, end, inside = 0;
	long kilobytes, found = -1;
	FILE *smaps = fopen("/proc/self/smaps", "re");
	CHECK(smaps);
	while (fgets(line, sizeof(line), smaps)) {
		if (sscanf(line, "%lx-%lx ", &start, &end) == 2)
			inside = (uintptr_t)address >= start && (uintptr_t)address < end;
		else if (inside && !strncmp(line, key, strlen(key)) &&
			 sscanf(line + strlen(key), ": %ld", &kilobytes) == 1)
			found = kilobytes * 1024;
	}
	fclose(smaps);
	return found;
}

#endif
