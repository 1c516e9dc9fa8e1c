/*
 * First writes all over memory when few VMAs may be used for them, so that userfaultfd sees most of
 * them: each has its stack and kind, VMAs stay few, and all that the program does with such memory
 * goes as ever: system calls, fork, giving back, moving, protecting, unmapping, its own SIGBUS.
 */
/* environment: COWSPY_VMA_SHARE=0 */
#include "check.h"

#include <setjmp.h>
#include <sys/mman.h>

#define PAGES 16384u
#define WRITTEN 4000u
#define VMAS_MOST 400

/* A permutation of the pages. */
static size_t scattered(size_t i)
{
	return i * 6364136223846793005u % PAGES;
}

static void write_scattered(volatile char *pages, size_t first, size_t end, char value)
{
	for (size_t i = first; i < end; i++)
		pages[scattered(i) * CHECK_PAGE + i % CHECK_PAGE] = value;
}

static void write_again(volatile char *pages, size_t first, size_t end, char value)
{
	write_scattered(pages, first, end, value);
}

static void write_read_ones(volatile char *pages, size_t first, size_t end, char value)
{
	write_scattered(pages, first, end, value);
}

static void verify(const volatile char *pages, size_t first, size_t end, char value)
{
	for (size_t i = first; i < end; i++)
		CHECK_EQUAL(pages[scattered(i) * CHECK_PAGE + i % CHECK_PAGE], value);
}

static int vmas(void)
{
	FILE *maps = fopen("/proc/self/maps", "re");
	int count = 0;
	CHECK(maps);
	for (int c; (c = getc(maps)) != EOF;)
		count += c == '\n';
	fclose(maps);
	return count;
}

/* Reading puts the zero page there; that is no copy, and what is written later copies it. */
static void test_kinds(void)
{
	char *pages = map_anonymous(PAGES);
	write_scattered(pages, 0, WRITTEN, 'a');
	for (size_t i = WRITTEN; i < WRITTEN + 100; i++)
		CHECK_EQUAL(read_byte(pages + scattered(i) * CHECK_PAGE), 0);
	write_read_ones(pages, WRITTEN, WRITTEN + 100, 'b');
	verify(pages, 0, WRITTEN, 'a');
	verify(pages, WRITTEN, WRITTEN + 100, 'b');
	CHECK(vmas() < VMAS_MOST);
	expect_stack("test_kinds", "fill", WRITTEN);
	expect_stack("write_read_ones", "zero", 100);
	expect_count(pages, PAGES, 'C', WRITTEN + 100);
	snapshot();
	CHECK_EQUAL(munmap(pages, PAGES * CHECK_PAGE), 0);
}

/* The kernel writes for read(2); what it does not reach stays closed. */
static void test_system_calls(void)
{
	char *pages = map_anonymous(PAGES);
	int fd = file_of_pages(3);
	write_scattered(pages, 0, WRITTEN, 'a');
	size_t untouched = 0;
	for (size_t i = WRITTEN; untouched == 0; i++)
		if (scattered(i) < PAGES - 8)
			untouched = scattered(i);
	char *buffer = pages + untouched * CHECK_PAGE;
	CHECK_EQUAL(pread(fd, buffer, 8 * CHECK_PAGE, 0), 3 * CHECK_PAGE);
	CHECK_EQUAL(buffer[0], 'a');
	CHECK_EQUAL(buffer[2 * CHECK_PAGE], 'c');
	CHECK_EQUAL(pread(fd, buffer, 16, 2 * CHECK_PAGE), 16);
	CHECK_EQUAL(buffer[0], 'c');
	close(fd);
	expect_count(pages, PAGES, 'C', WRITTEN + 3);
	snapshot();
	CHECK_EQUAL(munmap(pages, PAGES * CHECK_PAGE), 0);
}

/* What was given back is empty, and is a first touch again. */
static void test_giving_back(void)
{
	char *pages = map_anonymous(PAGES);
	write_scattered(pages, 0, WRITTEN, 'a');
	CHECK_EQUAL(madvise(pages, PAGES / 2 * CHECK_PAGE, MADV_DONTNEED), 0);
	size_t gone = 0;
	for (size_t i = 0; i < WRITTEN; i++) {
		bool dropped = scattered(i) < PAGES / 2;
		char *at = pages + scattered(i) * CHECK_PAGE;
		CHECK_EQUAL(at[i % CHECK_PAGE], dropped ? 0 : 'a');
		gone += dropped;
	}
	CHECK_EQUAL(madvise(pages, PAGES / 2 * CHECK_PAGE, MADV_DONTNEED), 0);
	expect_count(pages, PAGES, 'C', WRITTEN - gone);
	snapshot();
	write_again(pages, 0, WRITTEN, 'b');
	verify(pages, 0, WRITTEN, 'b');
	expect_stack("write_again", "fill", gone);
}

static void test_mapping_calls(void)
{
	char *pages = map_anonymous(PAGES);
	char *target = map_anonymous(PAGES);
	write_scattered(pages, 0, WRITTEN, 'a');
	CHECK_EQUAL(mprotect(pages, PAGES * CHECK_PAGE, PROT_READ), 0);
	verify(pages, 0, WRITTEN, 'a');
	CHECK_EQUAL(mprotect(pages, PAGES * CHECK_PAGE, PROT_READ | PROT_WRITE), 0);
	write_scattered(pages, WRITTEN, WRITTEN + 500, 'b');
	CHECK(mremap(pages, PAGES * CHECK_PAGE, PAGES * CHECK_PAGE, MREMAP_MAYMOVE | MREMAP_FIXED,
		     target) == target);
	verify(target, 0, WRITTEN, 'a');
	verify(target, WRITTEN, WRITTEN + 500, 'b');
	write_scattered(target, WRITTEN + 500, WRITTEN + 1000, 'c');
	verify(target, WRITTEN + 500, WRITTEN + 1000, 'c');
	expect_count(target, PAGES, 'C', WRITTEN + 1000);
	expect_stack("test_mapping_calls", "fill", WRITTEN + 1000);
	snapshot();
	CHECK_EQUAL(munmap(target + PAGES / 4 * CHECK_PAGE, PAGES / 2 * CHECK_PAGE), 0);
	CHECK(vmas() < VMAS_MOST);
}

static sigjmp_buf jump;
static void *volatile bus_address;

static void on_bus(int signal, siginfo_t *info, void *context)
{
	(void)signal;
	(void)context;
	CHECK_EQUAL(info->si_code, BUS_ADRERR);
	bus_address = info->si_addr;
	siglongjmp(jump, 1);
}

/* A page of a file that is gone is the program's own SIGBUS, for its own handler. */
static void test_own_signal(void)
{
	struct sigaction action = {.sa_sigaction = on_bus, .sa_flags = SA_SIGINFO};
	int fd = file_of_pages(2);
	char *file = map_file(fd, 2);
	char *pages = map_anonymous(PAGES);
	CHECK_EQUAL(sigaction(SIGBUS, &action, NULL), 0);
	CHECK_EQUAL(ftruncate(fd, CHECK_PAGE), 0);
	write_scattered(pages, 0, WRITTEN, 'a');
	if (!sigsetjmp(jump, 1))
		file[CHECK_PAGE + 5] = 1;
	CHECK(bus_address == file + CHECK_PAGE + 5);
	bus_address = NULL;
	if (!sigsetjmp(jump, 1))
		CHECK_EQUAL(read_byte(file + CHECK_PAGE), 0);
	CHECK(bus_address == file + CHECK_PAGE);
	write_scattered(pages, WRITTEN, WRITTEN + 500, 'b');
	verify(pages, WRITTEN, WRITTEN + 500, 'b');
	CHECK_EQUAL(sigaction(SIGBUS, &(struct sigaction){.sa_handler = SIG_DFL}, NULL), 0);
	CHECK_EQUAL(munmap(file, 2 * CHECK_PAGE), 0);
	close(fd);
}

/* All descriptors that a program can close are closed, as daemons do. */
static void test_descriptors(void)
{
	char *pages = map_anonymous(PAGES);
	write_scattered(pages, 0, WRITTEN / 2, 'a');
	CHECK_EQUAL(close_range(3, ~0u, 0), 0);
	for (int fd = 3; fd < 1100; fd++)
		close(fd);
	write_scattered(pages, WRITTEN / 2, WRITTEN, 'a');
	verify(pages, 0, WRITTEN, 'a');
	CHECK_EQUAL(dup2(1, 1001), 1001);
	CHECK_EQUAL(dup2(1, 1002), 1002);
	CHECK_EQUAL(dup2(1, 1003), 1003);
	write_scattered(pages, WRITTEN, WRITTEN + 500, 'b');
	expect_count(pages, PAGES, 'C', WRITTEN + 500);
	expect_stack("test_descriptors", "fill", WRITTEN + 500);
}

static void write_shared(volatile char *pages, size_t first, size_t end, char value)
{
	write_scattered(pages, first, end, value);
}

/* Both sides write what they share, and what neither has touched. */
static void test_fork(void)
{
	char *pages = map_anonymous(PAGES);
	write_scattered(pages, 0, WRITTEN, 'a');
	pid_t child = fork();
	if (!child) {
		write_shared(pages, 0, WRITTEN + 500, 'c');
		verify(pages, 0, WRITTEN + 500, 'c');
		CHECK(vmas() < VMAS_MOST);
		expect_stack("write_shared", "fork", WRITTEN);
		expect_stack("write_shared", "fill", 500);
		expect_all_attributed();
		exit(0);
	}
	CHECK_EQUAL(wait_for(child), 0);
	verify(pages, 0, WRITTEN, 'a');
	write_shared(pages, 0, WRITTEN + 500, 'p');
	verify(pages, 0, WRITTEN + 500, 'p');
	CHECK(vmas() < VMAS_MOST);
	expect_stack("write_shared", "reuse", WRITTEN);
	expect_stack("write_shared", "fill", 500);
}

int main(void)
{
	setvbuf(stdout, NULL, _IONBF, 0);
	test_kinds();
	test_system_calls();
	test_giving_back();
	test_mapping_calls();
	test_own_signal();
	test_fork();
	test_descriptors();
	expect_all_attributed();
	puts("every byte in its place");
	return 0;
}
