/* Mappings moved, cut, replaced, emptied: the data is the kernel's, and the page states too. */
#include "check.h"

#include <sys/ipc.h>
#include <sys/shm.h>

#ifndef MREMAP_DONTUNMAP
#define MREMAP_DONTUNMAP 4
#endif

static char *page_of(char *pages, size_t i)
{
	return pages + i * CHECK_PAGE;
}

static void write_page(char *pages, size_t i, char value)
{
	memset(page_of(pages, i), value, CHECK_PAGE);
}

static void write_again(char *pages, size_t i, char value)
{
	memset(page_of(pages, i), value, CHECK_PAGE);
}

static void expect_value(char *pages, size_t i, char value)
{
	CHECK_EQUAL(*page_of(pages, i), value);
	CHECK_EQUAL(page_of(pages, i)[CHECK_PAGE - 1], value);
}

/* A mapping of 4 pages with 0 and 2 written and a hole of `room` pages behind it. */
static char *map_with_room(size_t room)
{
	char *pages = map_anonymous(4 + room);
	CHECK_EQUAL(munmap(page_of(pages, 4), room * CHECK_PAGE), 0);
	write_page(pages, 0, '0');
	write_page(pages, 2, '2');
	return pages;
}

static void test_mremap(void)
{
	char *pages = map_with_room(4);
	CHECK(mremap(pages, 4 * CHECK_PAGE, 8 * CHECK_PAGE, 0) == pages);
	write_page(pages, 6, '6');
	expect_pages(pages, "C.C...C.");
	snapshot();
	CHECK(mremap(pages, 8 * CHECK_PAGE, 3 * CHECK_PAGE, 0) == pages);
	expect_value(pages, 2, '2');

	char *target = map_anonymous(6);
	write_page(target, 0, 'x');
	write_page(target, 5, 'x');
	char *moved = mremap(pages, 3 * CHECK_PAGE, 5 * CHECK_PAGE, MREMAP_MAYMOVE | MREMAP_FIXED,
			     target);
	CHECK(moved == target);
	expect_value(moved, 0, '0');
	expect_value(moved, 2, '2');
	expect_value(moved, 5, 'x');
	write_page(moved, 1, '1');
	write_page(moved, 4, '4');
	expect_pages(moved, "CCC.CC");
	snapshot();

	char *grown = mremap(moved, 5 * CHECK_PAGE, 1024 * CHECK_PAGE, MREMAP_MAYMOVE);
	CHECK(grown != MAP_FAILED);
	for (int i = 0; i < 5; i++)
		if (i != 3)
			expect_value(grown, (size_t)i, (char)('0' + i));
	write_page(grown, 1023, 'e');
	expect_pages(grown, "CCC.C.");
	expect_pages(page_of(grown, 1020), "...C");
	snapshot();

	char *left = mremap(grown, 1024 * CHECK_PAGE, 1024 * CHECK_PAGE,
			    MREMAP_MAYMOVE | MREMAP_DONTUNMAP, NULL);
	CHECK(left != MAP_FAILED && left != grown);
	expect_value(left, 1, '1');
	write_again(grown, 1, 'n'); /* empty since, thus a first write once more */
	expect_value(grown, 1, 'n');
	expect_pages(grown, ".C....");
	expect_pages(left, "CCC.C.");
	snapshot();
	CHECK(mremap(grown, CHECK_PAGE, 2 * CHECK_PAGE, 0) == MAP_FAILED && errno == ENOMEM);
	CHECK(mremap(grown + 1, CHECK_PAGE, CHECK_PAGE, 0) == MAP_FAILED && errno == EINVAL);
}

static void test_munmap_middle(void)
{
	char *pages = map_anonymous(9);
	for (size_t i = 0; i < 9; i += 2)
		write_page(pages, i, (char)('0' + i));
	CHECK_EQUAL(munmap(page_of(pages, 3), 3 * CHECK_PAGE), 0);
	write_page(pages, 1, '1');
	write_page(pages, 7, '7');
	char *middle = mmap(page_of(pages, 3), 3 * CHECK_PAGE, PROT_READ | PROT_WRITE,
			    MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0);
	CHECK(middle == page_of(pages, 3));
	CHECK_EQUAL(read_byte(page_of(pages, 4)), 0);
	write_again(pages, 4, 'n');
	expect_pages(pages, "CCC.C.CCC");
	snapshot();
	expect_value(pages, 8, '8');
}

static void test_map_fixed(void)
{
	char *pages = map_anonymous(6);
	for (size_t i = 0; i < 6; i++)
		write_page(pages, i, 'o');
	/* A file, then shared memory, over parts of it. */
	int fd = file_of_pages(2);
	CHECK(mmap(page_of(pages, 1), 2 * CHECK_PAGE, PROT_READ | PROT_WRITE,
		   MAP_PRIVATE | MAP_FIXED, fd, 0) == page_of(pages, 1));
	CHECK(mmap(page_of(pages, 4), CHECK_PAGE, PROT_READ | PROT_WRITE,
		   MAP_SHARED | MAP_ANONYMOUS | MAP_FIXED, -1, 0) == page_of(pages, 4));
	CHECK_EQUAL(*page_of(pages, 1), 'a');
	write_again(pages, 2, 'n');
	write_again(pages, 4, 's');
	expect_value(pages, 0, 'o');
	expect_value(pages, 3, 'o');
	expect_value(pages, 5, 'o');
	expect_pages(pages, "CfCC");
	expect_pages(page_of(pages, 5), "C");
	snapshot();
}

static void test_madvise(void)
{
	char *pages = map_anonymous(8);
	for (size_t i = 0; i < 8; i++)
		write_page(pages, i, 'o');
	CHECK_EQUAL(madvise(page_of(pages, 2), 3 * CHECK_PAGE, MADV_DONTNEED), 0);
	CHECK_EQUAL(read_byte(page_of(pages, 3)), 0);
	write_again(pages, 3, 'n');
	expect_pages(pages, "CC.C.CCC");
	snapshot();

	int fd = file_of_pages(4);
	char *file = map_file(fd, 4);
	write_page(file, 1, 'o');
	CHECK_EQUAL(madvise(file, 4 * CHECK_PAGE, MADV_DONTNEED), 0);
	CHECK_EQUAL(read_byte(page_of(file, 1)), 'b');
	write_again(file, 1, 'n');
	expect_pages(file, "?C??");
	snapshot();

	/* MADV_FREE: the old data or zeros, and a write sticks. */
	char *lazy = map_anonymous(4);
	for (size_t i = 0; i < 4; i++)
		write_page(lazy, i, 'o');
	CHECK_EQUAL(madvise(lazy, 4 * CHECK_PAGE, MADV_FREE), 0);
	for (size_t i = 0; i < 4; i++)
		CHECK(*page_of(lazy, i) == 'o' || *page_of(lazy, i) == 0);
	memset(page_of(lazy, 2), 'n', CHECK_PAGE);
	expect_value(lazy, 2, 'n');

	CHECK(madvise(pages + 1, CHECK_PAGE, MADV_DONTNEED) == -1 && errno == EINVAL);
	CHECK_EQUAL(posix_madvise(pages, CHECK_PAGE, POSIX_MADV_WILLNEED), 0);

	/* MADV_REMOVE punches a hole into a shared mapping's file; private ones refuse it. */
	CHECK(madvise(pages, CHECK_PAGE, MADV_REMOVE) == -1 && errno == EINVAL);
}

static void test_shm(void)
{
	char *pages = map_anonymous(8);
	for (size_t i = 0; i < 8; i++)
		write_page(pages, i, 'o');
	int id = shmget(IPC_PRIVATE, 2 * CHECK_PAGE, IPC_CREAT | 0600);
	if (id < 0)
		return;
	char *over = shmat(id, page_of(pages, 2), SHM_REMAP);
	CHECK_EQUAL(shmctl(id, IPC_RMID, NULL), 0);
	CHECK(over == page_of(pages, 2));
	write_again(over, 0, 's');
	CHECK_EQUAL(shmdt(over), 0);
	expect_value(pages, 1, 'o');
	expect_value(pages, 4, 'o');
	expect_pages(pages, "CC");
	expect_pages(page_of(pages, 4), "CCCC");
	snapshot();
}

/* Private, read-only first: the program's own protection is what counts. */
static void test_file_views(void)
{
	int fd = file_of_pages(4);
	char *view = mmap(NULL, 4 * CHECK_PAGE, PROT_READ, MAP_PRIVATE, fd, 0);
	CHECK(view != MAP_FAILED);
	CHECK_EQUAL(mprotect(view, 4 * CHECK_PAGE, PROT_READ | PROT_WRITE), 0);
	write_page(view, 2, 'n');
	char *shared = mmap(NULL, 4 * CHECK_PAGE, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	CHECK(shared != MAP_FAILED);
	write_again(shared, 0, 's');
	CHECK_EQUAL(*view, 's');
	expect_value(view, 2, 'n');
	CHECK_EQUAL(*page_of(shared, 2), 'c');
	expect_pages(view, "f?C?");
	snapshot();
}

int main(void)
{
	test_mremap();
	test_munmap_middle();
	test_map_fixed();
	test_madvise();
	test_shm();
	test_file_views();
	expect_kind("file", 3);
	puts("address space: as the kernel has it");
	return 0;
}
