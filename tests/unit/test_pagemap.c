/* sources: preload/observe/pagemap.c preload/base/sys.c */
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <linux/userfaultfd.h>

#include <cmocka.h>

#include "observe/pagemap.h"

#define PAGE ((size_t)4096)
#define HUGE ((size_t)2 << 20)
#define MAX_RUNS 64

#ifndef MADV_GUARD_INSTALL
#define MADV_GUARD_INSTALL 102
#endif

/* Each test runs twice: with PAGEMAP_SCAN, and with the entries of the pagemap alone. */
static struct pagemap pagemap;

struct run {
	uintptr_t start, end;
	page_flags_t flags;
};

struct runs {
	size_t count;
	struct run run[MAX_RUNS];
};

static int open_with_scan(void **state)
{
	(void)state;
	return pagemap_open(&pagemap, "/proc/self/pagemap");
}

static int open_without_scan(void **state)
{
	(void)state;
	int error = pagemap_open(&pagemap, "/proc/self/pagemap");
	pagemap.scan = false;
	return error;
}

static int close_again(void **state)
{
	(void)state;
	pagemap_close(&pagemap);
	return 0;
}

static void add_run(uintptr_t start, uintptr_t end, page_flags_t flags, void *context)
{
	struct runs *runs = context;
	assert_true(start < end && flags);
	if (runs->count) {
		struct run *last = &runs->run[runs->count - 1];
		assert_true(start > last->end || (start == last->end && flags != last->flags));
	}
	assert_true(runs->count < MAX_RUNS);
	runs->run[runs->count++] = (struct run){start, end, flags};
}

/* The flags of one page, checked to be the same by both functions. */
static page_flags_t flags_of(const void *address)
{
	struct runs runs = {0};
	uintptr_t page = (uintptr_t)address;
	page_flags_t flags, one;

	assert_int_equal(pagemap_runs(&pagemap, page, page + PAGE, true, add_run, &runs), 0);
	flags = runs.count ? runs.run[0].flags : 0;
	assert_int_equal(
		pagemap_page(&pagemap, page + 5, PAGEMAP_WANT_EXCLUSIVE | PAGEMAP_WANT_ZERO, &one),
		0);
	assert_int_equal(one & ~PAGE_HUGE, flags & ~PAGE_HUGE);
	assert_int_equal(pagemap_page(&pagemap, page, PAGEMAP_WANT_ZERO, &one), 0);
	assert_int_equal(one & ~PAGE_EXCLUSIVE, flags & ~PAGE_EXCLUSIVE);
	assert_int_equal(pagemap_page(&pagemap, page, PAGEMAP_WANT_EXCLUSIVE, &one), 0);
	assert_int_equal(one & (PAGE_EXCLUSIVE | PAGE_PRESENT),
			 flags & (PAGE_EXCLUSIVE | PAGE_PRESENT));
	if (!(flags & PAGE_ZERO))
		assert_int_equal(one, flags & ~PAGE_HUGE);
	return flags;
}

static page_flags_t zero_flags(void)
{
	return PAGE_PRESENT | PAGE_ZERO | (pagemap.scan ? 0 : PAGE_ZERO_INFERRED);
}

static char *map_anonymous(size_t length)
{
	char *memory = mmap(NULL, length, PROT_READ | PROT_WRITE,
			    MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	assert_true(memory != MAP_FAILED);
	madvise(memory, length, MADV_NOHUGEPAGE);
	return memory;
}

static char *map_file(size_t pages)
{
	char name[] = "/tmp/pagemap.XXXXXX";
	int fd = mkstemp(name);
	char *memory;
	assert_true(fd >= 0);
	unlink(name);
	for (size_t i = 0; i < pages; i++) {
		char page[4096];
		memset(page, 'a', sizeof(page));
		assert_int_equal(write(fd, page, sizeof(page)), sizeof(page));
	}
	memory = mmap(NULL, pages * PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE, fd, 0);
	assert_true(memory != MAP_FAILED);
	close(fd);
	return memory;
}

static void touch_read(const char *page)
{
	(void)*(const volatile char *)page;
}

static void test_file_pages(void **state)
{
	char *memory = map_file(4);
	(void)state;
	memory[0] = 'w';
	memory[2 * PAGE] = 'w';
	touch_read(memory + 3 * PAGE);
	assert_int_equal(flags_of(memory), PAGE_PRESENT | PAGE_EXCLUSIVE);
	assert_int_equal(flags_of(memory + 2 * PAGE), PAGE_PRESENT | PAGE_EXCLUSIVE);
	assert_int_equal(flags_of(memory + 3 * PAGE), PAGE_PRESENT | PAGE_FILE);
	assert_false(flags_of(memory + PAGE) & ~(PAGE_PRESENT | PAGE_FILE));
	assert_true(page_is_copied(flags_of(memory)));
	assert_false(page_is_copied(flags_of(memory + 3 * PAGE)));
	munmap(memory, 4 * PAGE);
}

static void test_anonymous_pages(void **state)
{
	char *memory = map_anonymous(3 * PAGE);
	(void)state;
	touch_read(memory + PAGE);
	memory[2 * PAGE] = 1;
	assert_int_equal(flags_of(memory), 0);
	assert_int_equal(flags_of(memory + PAGE), zero_flags());
	assert_int_equal(flags_of(memory + 2 * PAGE), PAGE_PRESENT | PAGE_EXCLUSIVE);
	assert_false(page_is_copied(flags_of(memory + PAGE)));
	munmap(memory, 3 * PAGE);
}

static void test_shared_memory_is_file(void **state)
{
	char *memory = mmap(NULL, PAGE, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	(void)state;
	memory[0] = 1;
	assert_int_equal(flags_of(memory), PAGE_PRESENT | PAGE_FILE);
	munmap(memory, PAGE);
}

/* A child that waits until the parent closes the pipe, and writes to a page before when asked. */
static pid_t fork_child(char *write_to, int pipe_ends[2])
{
	int ready[2];
	char byte;
	pid_t child;

	assert_int_equal(pipe(pipe_ends), 0);
	assert_int_equal(pipe(ready), 0);
	child = fork();
	assert_true(child >= 0);
	if (!child) {
		close(pipe_ends[1]);
		if (write_to)
			*write_to = 2;
		if (write(ready[1], "", 1) != 1 || read(pipe_ends[0], &byte, 1) != 0)
			_exit(1);
		_exit(0);
	}
	assert_int_equal(read(ready[0], &byte, 1), 1);
	close(ready[0]);
	close(ready[1]);
	close(pipe_ends[0]);
	return child;
}

static void end_child(pid_t child, int pipe_ends[2])
{
	int status;
	close(pipe_ends[1]);
	assert_int_equal(waitpid(child, &status, 0), child);
	assert_int_equal(status, 0);
}

/* What a page shared since a fork looks like; without PAGEMAP_SCAN it may be the zero page. */
static page_flags_t fork_flags(void)
{
	return pagemap.scan ? PAGE_PRESENT : zero_flags();
}

static page_flags_t flags_in(pid_t process, const void *address)
{
	struct pagemap other;
	char path[64];
	page_flags_t flags;
	snprintf(path, sizeof(path), "/proc/%d/pagemap", process);
	assert_int_equal(pagemap_open(&other, path), 0);
	other.scan = other.scan && pagemap.scan;
	assert_int_equal(pagemap_page(&other, (uintptr_t)address, PAGEMAP_WANT_ZERO, &flags), 0);
	if (other.scan) {
		page_flags_t exclusive;
		assert_int_equal(pagemap_page(&other, (uintptr_t)address, PAGEMAP_WANT_EXCLUSIVE,
					      &exclusive),
				 0);
		flags |= exclusive;
	}
	pagemap_close(&other);
	return flags;
}

static void test_fork_shares_until_the_child_exits(void **state)
{
	char *memory = map_anonymous(PAGE);
	int ends[2];
	pid_t child;
	(void)state;
	memory[0] = 1;
	assert_int_equal(flags_of(memory), PAGE_PRESENT | PAGE_EXCLUSIVE);
	child = fork_child(NULL, ends);
	assert_int_equal(flags_of(memory), fork_flags());
	assert_int_equal(flags_in(child, memory), fork_flags());
	end_child(child, ends);
	assert_int_equal(flags_of(memory), PAGE_PRESENT | PAGE_EXCLUSIVE);
	munmap(memory, PAGE);
}

static void test_fork_shares_until_the_other_side_writes(void **state)
{
	char *memory = map_anonymous(2 * PAGE);
	int ends[2];
	pid_t child;
	(void)state;
	memory[0] = memory[PAGE] = 1;
	child = fork_child(memory, ends);
	assert_int_equal(flags_of(memory), PAGE_PRESENT | PAGE_EXCLUSIVE);
	assert_int_equal(flags_in(child, memory), PAGE_PRESENT | PAGE_EXCLUSIVE);
	assert_int_equal(flags_of(memory + PAGE), fork_flags());
	memory[PAGE] = 3;
	assert_int_equal(flags_in(child, memory + PAGE), PAGE_PRESENT | PAGE_EXCLUSIVE);
	end_child(child, ends);
	munmap(memory, 2 * PAGE);
}

static void test_dontneed_gives_back(void **state)
{
	char *memory = map_anonymous(PAGE), *file = map_file(1);
	(void)state;
	memory[0] = file[0] = 1;
	assert_true(page_is_copied(flags_of(memory)) && page_is_copied(flags_of(file)));
	assert_int_equal(madvise(memory, PAGE, MADV_DONTNEED), 0);
	assert_int_equal(madvise(file, PAGE, MADV_DONTNEED), 0);
	assert_int_equal(flags_of(memory), 0);
	assert_int_equal(flags_of(file), 0);
	touch_read(file);
	assert_int_equal(flags_of(file), PAGE_PRESENT | PAGE_FILE);
	munmap(memory, PAGE);
	munmap(file, PAGE);
}

static void test_runs_are_joined_and_ordered(void **state)
{
	char *memory = map_anonymous(1000 * PAGE);
	struct runs runs = {0};
	uintptr_t start = (uintptr_t)memory;
	const page_flags_t written = PAGE_PRESENT | PAGE_EXCLUSIVE;
	(void)state;
	memset(memory + 10 * PAGE, 1, 600 * PAGE);
	for (int i = 610; i < 620; i++)
		touch_read(memory + i * PAGE);
	memory[999 * PAGE] = 1;
	assert_int_equal(pagemap_runs(&pagemap, start, start + 1000 * PAGE, true, add_run, &runs),
			 0);
	assert_int_equal(runs.count, 3);
	assert_int_equal(runs.run[0].start, start + 10 * PAGE);
	assert_int_equal(runs.run[0].end, start + 610 * PAGE);
	assert_int_equal(runs.run[0].flags, written);
	assert_int_equal(runs.run[1].end, start + 620 * PAGE);
	assert_int_equal(runs.run[1].flags, zero_flags());
	assert_int_equal(runs.run[2].start, start + 999 * PAGE);
	runs.count = 0;
	assert_int_equal(pagemap_runs(&pagemap, start + 20 * PAGE + 7, start + 30 * PAGE - 7, false,
				      add_run, &runs),
			 0);
	assert_int_equal(runs.count, 1);
	assert_int_equal(runs.run[0].start, start + 20 * PAGE);
	assert_int_equal(runs.run[0].end, start + 30 * PAGE);
	assert_int_equal(runs.run[0].flags, PAGE_PRESENT);
	munmap(memory, 1000 * PAGE);
}

static void count_pages(uintptr_t start, uintptr_t end, page_flags_t flags, void *context)
{
	uint64_t *counts = context; /* written, zero, end of the run before */
	assert_true(start >= counts[2] && start < end);
	counts[2] = end;
	counts[flags & PAGE_ZERO ? 1 : 0] += (end - start) / PAGE;
}

/* More regions than any buffer holds: each page exactly once. */
static void test_alternating_pages(void **state)
{
	const size_t pages = 20000;
	char *memory = map_anonymous(pages * PAGE);
	uint64_t counts[3] = {0};
	(void)state;
	for (size_t i = 0; i < pages; i++) {
		if (i % 3 == 0)
			memory[i * PAGE] = 1;
		else if (i % 3 == 1)
			touch_read(memory + i * PAGE);
	}
	for (int exclusive = 0; exclusive < 2; exclusive++) {
		memset(counts, 0, sizeof(counts));
		assert_int_equal(pagemap_runs(&pagemap, (uintptr_t)memory,
					      (uintptr_t)memory + pages * PAGE, exclusive,
					      count_pages, counts),
				 0);
		assert_int_equal(counts[0], (pages + 2) / 3);
		assert_int_equal(counts[1], (pages + 1) / 3);
	}
	munmap(memory, pages * PAGE);
}

static void test_sparse(void **state)
{
	const size_t length = pagemap.scan ? (size_t)1 << 40 : (size_t)1 << 36;
	char *memory = map_anonymous(length);
	uintptr_t start = (uintptr_t)memory;
	const size_t written[] = {0, length / 3 & ~(PAGE - 1), length - PAGE};
	struct runs runs = {0};
	(void)state;
	for (int i = 0; i < 3; i++)
		memory[written[i]] = 1;
	assert_int_equal(pagemap_runs(&pagemap, start, start + length, true, add_run, &runs), 0);
	assert_int_equal(runs.count, 3);
	for (int i = 0; i < 3; i++) {
		assert_int_equal(runs.run[i].start, start + written[i]);
		assert_int_equal(runs.run[i].end, start + written[i] + PAGE);
		assert_int_equal(runs.run[i].flags, PAGE_PRESENT | PAGE_EXCLUSIVE);
	}
	munmap(memory, length);
}

static void test_huge_pages(void **state)
{
	char *memory = mmap(NULL, 4 * HUGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1,
			    0);
	char *aligned = (char *)(((uintptr_t)memory + HUGE - 1) & ~(HUGE - 1));
	page_flags_t flags;
	(void)state;
	if (madvise(memory, 4 * HUGE, MADV_HUGEPAGE)) {
		munmap(memory, 4 * HUGE);
		skip();
	}
	aligned[0] = 1;
	assert_true(page_is_copied(flags_of(aligned)));
	if (pagemap.scan && !(flags_of(aligned) & PAGE_HUGE)) {
		munmap(memory, 4 * HUGE);
		skip();
	}
	flags = PAGE_PRESENT | PAGE_EXCLUSIVE | (pagemap.scan ? PAGE_HUGE : 0);
	assert_int_equal(flags_of(aligned + HUGE - PAGE), flags);
	touch_read(aligned + HUGE);
	flags = flags_of(aligned + HUGE + PAGE);
	if (flags) {
		assert_true(flags & (pagemap.scan ? PAGE_ZERO : PAGE_ZERO | PAGE_FILE));
		assert_false(page_is_copied(flags));
	}
	munmap(memory, 4 * HUGE);
}

static void test_guard_pages_are_not_swapped(void **state)
{
	char *memory = map_anonymous(2 * PAGE);
	(void)state;
	if (madvise(memory, PAGE, MADV_GUARD_INSTALL) || !(pagemap.categories & 1 << 8)) {
		munmap(memory, 2 * PAGE);
		skip();
	}
	assert_int_equal(flags_of(memory), 0);
	munmap(memory, 2 * PAGE);
}

/* Write protection by userfaultfd leaves markers on pages that are not there. */
static void test_write_protection_markers(void **state)
{
	struct uffdio_api api = {.api = UFFD_API, .features = 1 << 13 /* WP_UNPOPULATED */};
	long fd = syscall(SYS_userfaultfd, O_CLOEXEC | 1 /* UFFD_USER_MODE_ONLY */);
	char *memory = map_anonymous(3 * PAGE);
	struct uffdio_register range = {.range = {(uintptr_t)memory, 3 * PAGE},
					.mode = UFFDIO_REGISTER_MODE_WP};
	struct uffdio_writeprotect protect = {.range = {(uintptr_t)memory, 3 * PAGE},
					      .mode = UFFDIO_WRITEPROTECT_MODE_WP};
	(void)state;
	memory[0] = 1;
	touch_read(memory + PAGE);
	if (fd < 0 || ioctl((int)fd, UFFDIO_API, &api) || ioctl((int)fd, UFFDIO_REGISTER, &range) ||
	    ioctl((int)fd, UFFDIO_WRITEPROTECT, &protect)) {
		munmap(memory, 3 * PAGE);
		skip();
	}
	assert_int_equal(flags_of(memory), PAGE_PRESENT | PAGE_EXCLUSIVE);
	assert_int_equal(flags_of(memory + PAGE), zero_flags());
	assert_int_equal(flags_of(memory + 2 * PAGE), PAGE_MARKER);
	assert_false(page_is_copied(flags_of(memory + 2 * PAGE)));
	munmap(memory, 3 * PAGE);
	close((int)fd);
}

static void test_errors(void **state)
{
	struct pagemap closed;
	page_flags_t flags;
	struct runs runs = {0};
	(void)state;
	assert_int_equal(pagemap_open(&closed, "/proc/0/pagemap"), -ENOENT);
	assert_int_equal(closed.fd, -1);
	closed.scan = pagemap.scan;
	errno = 77;
	assert_int_equal(pagemap_page(&closed, PAGE, PAGEMAP_WANT_ZERO, &flags), -EBADF);
	assert_int_equal(pagemap_runs(&closed, PAGE, 2 * PAGE, true, add_run, &runs), -EBADF);
	assert_int_equal(errno, 77);
	pagemap_close(&closed);
}

static void test_process_gone(void **state)
{
	struct pagemap other;
	struct runs runs = {0};
	char path[64];
	int ends[2];
	char *memory = map_anonymous(PAGE);
	pid_t child;
	(void)state;
	memory[0] = 1;
	child = fork_child(NULL, ends);
	snprintf(path, sizeof(path), "/proc/%d/pagemap", child);
	assert_int_equal(pagemap_open(&other, path), 0);
	other.scan = pagemap.scan;
	end_child(child, ends);
	assert_int_equal(pagemap_runs(&other, (uintptr_t)memory, (uintptr_t)memory + PAGE, true,
				      add_run, &runs),
			 -ESRCH);
	assert_int_equal(runs.count, 0);
	pagemap_close(&other);
	munmap(memory, PAGE);
}

#define BOTH_WAYS(test) \
	{#test " (scan)", test, open_with_scan, close_again, NULL}, \
	{ \
#test " (entries)", test, open_without_scan, close_again, NULL \
	}

int main(void)
{
	const struct CMUnitTest tests[] = {
		BOTH_WAYS(test_file_pages),
		BOTH_WAYS(test_anonymous_pages),
		BOTH_WAYS(test_shared_memory_is_file),
		BOTH_WAYS(test_fork_shares_until_the_child_exits),
		BOTH_WAYS(test_fork_shares_until_the_other_side_writes),
		BOTH_WAYS(test_dontneed_gives_back),
		BOTH_WAYS(test_runs_are_joined_and_ordered),
		BOTH_WAYS(test_alternating_pages),
		BOTH_WAYS(test_sparse),
		BOTH_WAYS(test_huge_pages),
		BOTH_WAYS(test_guard_pages_are_not_swapped),
		BOTH_WAYS(test_write_protection_markers),
		BOTH_WAYS(test_errors),
		BOTH_WAYS(test_process_gone),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
