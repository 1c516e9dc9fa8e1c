/*
 * A program with a write barrier of its own, as garbage collectors have: it makes its pages
 * read-only, expects one fault a page, and opens the page in its handler. /proc/self/maps aside, it
 * must not be able to tell that the library has the same idea.
 */
#include "check.h"

#define PAGES 32

static char *pages;
static volatile int faults;

static void barrier(int signal, siginfo_t *info, void *context)
{
	(void)signal;
	(void)context;
	int saved = errno;
	char *page = (char *)((uintptr_t)info->si_addr & ~(uintptr_t)(CHECK_PAGE - 1));
	CHECK_EQUAL(info->si_code, SEGV_ACCERR);
	CHECK(page >= pages && page < pages + PAGES * CHECK_PAGE);
	CHECK_EQUAL(mprotect(page, CHECK_PAGE, PROT_READ | PROT_WRITE), 0);
	faults++;
	errno = saved;
}

static void write_all(char value)
{
	for (int i = 0; i < PAGES; i++) {
		errno = 77;
		pages[i * CHECK_PAGE + 1] = value;
		CHECK_EQUAL(errno, 77);
	}
}

static void protect_all(int protection)
{
	CHECK_EQUAL(mprotect(pages, PAGES * CHECK_PAGE, protection), 0);
}

int main(void)
{
	struct sigaction action = {.sa_sigaction = barrier, .sa_flags = SA_SIGINFO};
	CHECK_EQUAL(sigaction(SIGSEGV, &action, NULL), 0);
	pages = map_anonymous(PAGES);

	write_all('a');
	CHECK_EQUAL(faults, 0);
	for (int round = 1; round <= 5; round++) {
		protect_all(PROT_READ);
		write_all((char)('a' + round));
		CHECK_EQUAL(faults, round * PAGES);
		write_all((char)('A' + round));
		CHECK_EQUAL(faults, round * PAGES);
	}
	/* Read-only from the start, written only after the program opened it. */
	char *closed = mmap(NULL, 4 * CHECK_PAGE, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	CHECK(closed != MAP_FAILED);
	CHECK_EQUAL(mprotect(closed, 2 * CHECK_PAGE, PROT_READ | PROT_WRITE), 0);
	closed[CHECK_PAGE] = 'o';
	CHECK_EQUAL(faults, 5 * PAGES);
	/* The kernel's own errors stay the program's. */
	CHECK(mprotect((void *)1, CHECK_PAGE, PROT_READ) == -1 && errno == EINVAL);
	CHECK(mprotect(pages, PAGES * CHECK_PAGE, 0x70000000) == -1 && errno == EINVAL);

	expect_count(pages, PAGES, 'C', PAGES);
	expect_pages(closed, ".C..");
	expect_stack("write_all", "fill", PAGES);
	printf("write barrier: %d faults\n", faults);
	return 0;
}
