/* sources: preload/observe/locks.c preload/observe/maps.c preload/base/sys.c */
/* sanitize: no */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/mman.h>

#include <cmocka.h>

#include "observe/locks.h"

#define PAGE ((size_t)4096)

static uintptr_t map_pages(size_t n)
{
	void *pages = mmap(NULL, n * PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1,
			   0);
	assert_true(pages != MAP_FAILED);
	return (uintptr_t)pages;
}

static void only_locked_memory_is_locked(void **state)
{
	uintptr_t pages = map_pages(6);
	(void)state;
	assert_false(locks_any(pages, pages + 6 * PAGE));
	assert_int_equal(mlock((void *)(pages + 2 * PAGE), PAGE), 0);
	assert_true(locks_any(pages, pages + 6 * PAGE));
	assert_true(locks_any(pages + 2 * PAGE, pages + 3 * PAGE));
	assert_false(locks_any(pages, pages + 2 * PAGE));
	assert_false(locks_any(pages + 3 * PAGE, pages + 6 * PAGE));
	/* Holes hide nothing. */
	assert_int_equal(munmap((void *)(pages + PAGE), PAGE), 0);
	assert_true(locks_any(pages, pages + 6 * PAGE));
	assert_true(locks_any(0, ~(uintptr_t)0 & ~(PAGE - 1)));
	assert_int_equal(munlock((void *)(pages + 2 * PAGE), PAGE), 0);
	assert_false(locks_any(pages, pages + 6 * PAGE));
	assert_int_equal(munmap((void *)pages, 6 * PAGE), 0);
}

/* What the kernel refuses to invalidate it has not touched. */
static void asking_changes_nothing(void **state)
{
	uintptr_t pages = map_pages(2);
	(void)state;
	*(char *)pages = 'x';
	assert_false(locks_any(pages, pages + 2 * PAGE));
	assert_int_equal(*(char *)pages, 'x');
	assert_int_equal(munmap((void *)pages, 2 * PAGE), 0);
}

struct found {
	uintptr_t start;
	uint64_t locked;
	int count;
};

static void find(uintptr_t start, uintptr_t end, uint64_t locked, void *context)
{
	struct found *found = context;
	if (found->start < start || found->start >= end)
		return;
	found->locked += locked;
	found->count++;
}

static void smaps_counts_what_is_there(void **state)
{
	uintptr_t pages = map_pages(8);
	struct found found = {.start = pages};
	(void)state;
	assert_int_equal(locks_walk(find, &found), 0);
	assert_int_equal(found.count, 0);
	assert_int_equal(mlock2((void *)pages, 8 * PAGE, MLOCK_ONFAULT), 0);
	*(char *)(pages + PAGE) = *(char *)(pages + 5 * PAGE) = 'x';
	assert_int_equal(locks_walk(find, &found), 0);
	assert_int_equal(found.count, 1);
	assert_int_equal(found.locked, 2 * PAGE);
	assert_int_equal(munmap((void *)pages, 8 * PAGE), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(only_locked_memory_is_locked),
		cmocka_unit_test(asking_changes_nothing),
		cmocka_unit_test(smaps_counts_what_is_there),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
