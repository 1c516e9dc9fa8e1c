/*
 * What the test programs share: own reading of the kernel's page states, and expectations.
 *
 * An expectation is checked twice. At once, by the program itself against /proc/self/pagemap (or
 * against its own data), with code that the library has no part in: it prints what it expected and
 * got, and exits with 1. Later, by tests/programs/report.py against the library's report: each
 * expectation is also a line `PID WORD ...` in the file named by CHECK_NOTES. The expectations up
 * to a snapshot() concern that snapshot's report, the last ones the report at the process's end.
 */
#ifndef COWSPY_TESTS_CHECK_H
#define COWSPY_TESTS_CHECK_H

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#define CHECK_PAGE 4096
#define CHECK_UNUSED __attribute__((unused))

#define CHECK(condition) \
	do { \
		if (!(condition)) \
			check_fail(__FILE__, __LINE__, "expected: %s (errno %d)", #condition, \
				   errno); \
	} while (0)

#define CHECK_EQUAL(got, expected) \
	do { \
		long long check_got = (long long)(got), check_expected = (long long)(expected); \
		if (check_got != check_expected) \
			check_fail(__FILE__, __LINE__, "%s: expected %lld, got %lld", #got, \
				   check_expected, check_got); \
	} while (0)

static CHECK_UNUSED __attribute__((noreturn, format(printf, 3, 4))) void
check_fail(const char *file, int line, const char *format, ...)
{
	char text[1024];
	va_list list;
	va_start(list, format);
	vsnprintf(text, sizeof(text), format, list);
	va_end(list);
	dprintf(2, "%s:%d: %s\n", file, line, text);
	_exit(1);
}

/* True when the library is in this process. */
static CHECK_UNUSED bool check_watched(void)
{
	const char *preload = getenv("LD_PRELOAD");
	return preload && strstr(preload, "libcowspy.so");
}

/* ---- notes for the judge ---- */

static CHECK_UNUSED __attribute__((format(printf, 1, 2))) void check_note(const char *format, ...)
{
	const char *path = getenv("CHECK_NOTES");
	if (!path)
		return;
	char text[1024];
	int length = snprintf(text, sizeof(text), "%d ", getpid());
	va_list list;
	va_start(list, format);
	length += vsnprintf(text + length, sizeof(text) - (size_t)length - 1, format, list);
	va_end(list);
	CHECK(length < (int)sizeof(text) - 1);
	text[length++] = '\n';
	int fd = open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
	CHECK(fd >= 0);
	CHECK_EQUAL(write(fd, text, (size_t)length), length);
	close(fd);
}

/* A report of this process now; without the library nothing happens. */
static CHECK_UNUSED void snapshot(void)
{
	if (check_watched())
		raise(SIGUSR1);
	check_note("snapshot");
}

/* ---- the kernel's page states ---- */

struct check_scan_region {
	uint64_t start, end, categories;
};

struct check_scan {
	uint64_t size, flags, start, end, walk_end, vec, vec_len, max_pages;
	uint64_t category_inverted, category_mask, category_anyof_mask, return_mask;
};

#define CHECK_SCAN _IOWR('f', 16, struct check_scan)
#define CHECK_SCAN_ZERO (1 << 5)
#define CHECK_SCAN_HUGE (1 << 6)

/* The categories of one page by PAGEMAP_SCAN, -1 when the kernel has no such call. */
static CHECK_UNUSED int check_categories(int fd, const void *page)
{
	struct check_scan_region region = {0};
	struct check_scan scan = {.size = sizeof(scan),
				  .start = (uintptr_t)page,
				  .end = (uintptr_t)page + CHECK_PAGE,
				  .vec = (uintptr_t)&region,
				  .vec_len = 1,
				  .return_mask = CHECK_SCAN_ZERO | CHECK_SCAN_HUGE};
	if (ioctl(fd, CHECK_SCAN, &scan) < 0)
		return -1;
	return (int)region.categories;
}

/*
 * The state of n pages as letters: '.' untouched, 'f' clean file page, 'z' zero page, 'C' a page of
 * this process alone, 's' anonymous and shared with another process, 'S' swapped, 'H' huge.
 */
static CHECK_UNUSED void check_letters(const void *address, size_t n, char *letters)
{
	/* Not of /proc/self: that is a zombie once the first thread has ended. */
	int fd = open("/proc/thread-self/pagemap", O_RDONLY | O_CLOEXEC);
	CHECK(fd >= 0);
	for (size_t i = 0; i < n; i++) {
		const char *page = (const char *)address + i * CHECK_PAGE;
		uint64_t entry = 0;
		CHECK_EQUAL(pread(fd, &entry, 8, (off_t)((uintptr_t)page / CHECK_PAGE * 8)), 8);
		bool present = entry >> 63 & 1, file = entry >> 61 & 1, alone = entry >> 56 & 1;
		bool marked = entry >> 57 & 1; /* by userfaultfd, where nothing is */
		bool swapped = (entry >> 62 & 1) && !marked;
		int categories = present && !file ? check_categories(fd, page) : 0;
		if (swapped)
			letters[i] = 'S';
		else if (!present)
			letters[i] = '.';
		else if (file)
			letters[i] = 'f';
		else if (categories > 0 && (categories & CHECK_SCAN_ZERO))
			letters[i] = 'z';
		else if (categories > 0 && (categories & CHECK_SCAN_HUGE))
			letters[i] = 'H';
		else
			letters[i] = alone ? 'C' : 's';
	}
	letters[n] = 0;
	close(fd);
}

/* What the kernel alone can tell of an expected letter. */
static CHECK_UNUSED bool check_letter_fits(char expected, char kernel)
{
	switch (expected) {
	case '?': return kernel == '.' || kernel == 'f'; /* the kernel may map around a fault */
	case 'r':
	case 'i': return kernel == 'C';
	default: return kernel == expected;
	}
}

/* The pages from address on have these states: letters as above, 'r' reused in place, 'i' inherited
 * and now ours alone, '?' untouched or mapped around. */
#define expect_pages(address, letters) check_expect_pages(__FILE__, __LINE__, address, letters)

static CHECK_UNUSED void check_expect_pages(const char *file, int line, const void *address,
					    const char *letters)
{
	char got[257];
	size_t n = strlen(letters);
	CHECK(n < sizeof(got));
	check_letters(address, n, got);
	for (size_t i = 0; i < n; i++)
		if (!check_letter_fits(letters[i], got[i]))
			check_fail(file, line, "pages at %p: expected %s, the kernel says %s",
				   address, letters, got);
	check_note("pages %lx %s", (unsigned long)(uintptr_t)address, letters);
}

/* Of n pages from address on, `count` have the state `letter`. */
#define expect_count(address, n, letter, count) \
	check_expect_count(__FILE__, __LINE__, address, n, letter, count)

static CHECK_UNUSED void check_expect_count(const char *file, int line, const void *address,
					    size_t n, char letter, size_t count)
{
	size_t got = 0;
	for (size_t i = 0; i < n; i++) {
		char letters[2];
		check_letters((const char *)address + i * CHECK_PAGE, 1, letters);
		got += check_letter_fits(letter, letters[0]);
	}
	if (got != count)
		check_fail(file, line, "%zu pages at %p: expected %zu '%c', the kernel says %zu", n,
			   address, count, letter, got);
	check_note("count %lx %zu %c %zu", (unsigned long)(uintptr_t)address, n, letter, count);
}

/* Exactly `pages` first writes of this kind have a stack that names the function. */
static CHECK_UNUSED void expect_stack(const char *function, const char *kind, size_t pages)
{
	check_note("stack %s %s %zu", function, kind, pages);
}

/* At least `pages` first writes of this kind in the totals. */
static CHECK_UNUSED void expect_kind(const char *kind, size_t pages)
{
	check_note("kind %s %zu", kind, pages);
}

/* Every copied page of the report is explained. */
static CHECK_UNUSED void expect_all_attributed(void)
{
	check_note("attributed");
}

/* ---- memory to test with ---- */

/* n anonymous private pages; never huge, so that page states are exact. */
static CHECK_UNUSED char *map_anonymous(size_t n)
{
	char *pages = mmap(NULL, n * CHECK_PAGE, PROT_READ | PROT_WRITE,
			   MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	CHECK(pages != MAP_FAILED);
	CHECK_EQUAL(madvise(pages, n * CHECK_PAGE, MADV_NOHUGEPAGE), 0);
	return pages;
}

/* An unnamed file of n pages; page i holds the byte 'a' + i % 26. */
static CHECK_UNUSED int file_of_pages(size_t n)
{
	const char *folder = getenv("TMPDIR");
	int fd = open(folder ? folder : "/tmp", O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);
	CHECK(fd >= 0);
	for (size_t i = 0; i < n; i++) {
		char page[CHECK_PAGE];
		memset(page, 'a' + (int)(i % 26), sizeof(page));
		CHECK_EQUAL(write(fd, page, sizeof(page)), CHECK_PAGE);
	}
	return fd;
}

static CHECK_UNUSED char *map_file(int fd, size_t n)
{
	char *pages = mmap(NULL, n * CHECK_PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE, fd, 0);
	CHECK(pages != MAP_FAILED);
	return pages;
}

static CHECK_UNUSED char read_byte(const volatile char *address)
{
	return *address;
}

/* Wait for a child; its exit status, or 128 + the signal that killed it. */
static CHECK_UNUSED int wait_for(pid_t child)
{
	int status;
	CHECK_EQUAL(waitpid(child, &status, 0), child);
	return WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status);
}

#endif
