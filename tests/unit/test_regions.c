/* The registry of mappings, and page states, against simple models under random operations. */
/* sources: preload/track/regions.c preload/track/pages.c preload/track/trace_regions.c preload/record/trace.c preload/record/trace_file.c preload/record/journal.c preload/record/modules.c preload/record/names.c preload/record/perf_map.c preload/observe/maps.c preload/observe/stack_table.c preload/base/chunks.c preload/base/descriptor.c preload/base/memory.c preload/base/notice.c preload/base/options.c preload/base/sys.c preload/base/text.c */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include "base/sys.h"
#include "track/pages.h"
#include "track/regions.h"

#define BASE ((uintptr_t)0x100000000)
#define PAGES 4096u
#define PAGE(n) (BASE + (uintptr_t)(n)*PAGE_SIZE)

static uint32_t random_state = 1;

static unsigned pick(unsigned below)
{
	random_state = random_state * 1664525u + 1013904223u;
	return (random_state >> 8) % below;
}

static void clear(void)
{
	assert_int_equal(region_remove(0, ~(uintptr_t)0), 0);
	assert_int_equal(region_count(), 0);
}

/* ---- regions against one mark for each page ---- */

static uint8_t marks[PAGES]; /* 0: none, else which of these names the region has */
static const char names[256][2];

static void insert(unsigned start, unsigned end, uint8_t mark)
{
	const struct region model = {.start = PAGE(start),
				     .end = PAGE(end),
				     .protection = PROT_READ | PROT_WRITE,
				     .name = names[mark]};
	assert_int_equal(region_remove(PAGE(start), PAGE(end)), 0);
	assert_non_null(region_insert(&model));
	memset(marks + start, mark, end - start);
}

static void removes(unsigned start, unsigned end)
{
	assert_int_equal(region_remove(PAGE(start), PAGE(end)), 0);
	memset(marks + start, 0, end - start);
}

static void check_page(unsigned page)
{
	struct region copy;
	bool found = region_peek(PAGE(page) + 123, &copy);
	assert_int_equal(found, marks[page] != 0);
	if (found)
		assert_ptr_equal(copy.name, names[marks[page]]);
}

/* The walk in order meets every marked page once, without overlaps. */
static void check_walk(void)
{
	struct region copy;
	size_t pages = 0, regions = 0, marked = 0;
	uintptr_t last = 0;
	for (uintptr_t at = 0; region_copy_next(at, &copy); at = copy.end) {
		assert_true(copy.start >= last && copy.end > copy.start);
		last = copy.end;
		pages += (copy.end - copy.start) / PAGE_SIZE;
		regions++;
	}
	for (unsigned page = 0; page < PAGES; page++)
		marked += marks[page] != 0;
	assert_int_equal(pages, marked);
	assert_int_equal(regions, region_count());
	assert_int_equal(regions, region_armed_count());
}

static void test_random_operations(void **state)
{
	(void)state;
	clear();
	memset(marks, 0, sizeof(marks));
	for (unsigned round = 0; round < 60000; round++) {
		unsigned start = pick(PAGES - 1);
		unsigned end = start + 1 + pick(round % 50 ? 4 : PAGES - start - 1);
		if (end > PAGES)
			end = PAGES;
		switch (pick(4)) {
		case 0: removes(start, end); break;
		case 1: assert_int_equal(region_split(PAGE(start)), 0); break;
		default: insert(start, end, (uint8_t)(1 + pick(250)));
		}
		for (unsigned i = 0; i < 8; i++)
			check_page(pick(PAGES));
		check_page(start);
		check_page(end - 1);
		if (round % 500 == 0)
			check_walk();
	}
	check_walk();
	clear();
}

static void test_a_hole_in_the_middle_makes_two(void **state)
{
	struct region copy;
	(void)state;
	clear();
	insert(0, 100, 7);
	removes(40, 60);
	assert_int_equal(region_count(), 2);
	assert_true(region_peek(PAGE(39), &copy));
	assert_int_equal(copy.end, PAGE(40));
	assert_false(region_peek(PAGE(40), &copy));
	assert_true(region_copy_next(PAGE(40), &copy));
	assert_int_equal(copy.start, PAGE(60));
	clear();
	memset(marks, 0, sizeof(marks));
}

static void test_the_selector_follows_armed_regions(void **state)
{
	struct region model = {.start = PAGE(0), .end = PAGE(1), .protection = PROT_READ};
	(void)state;
	clear();
	assert_int_equal(region_selector, 0);
	assert_non_null(region_insert(&model));
	assert_int_equal(region_selector, 0);
	model = (struct region){.start = PAGE(1), .end = PAGE(3), .protection = PROT_WRITE};
	assert_non_null(region_insert(&model));
	assert_int_equal(region_selector, 1);
	assert_int_equal(region_remove(PAGE(1), PAGE(2)), 0);
	assert_int_equal(region_selector, 1);
	clear();
	assert_int_equal(region_selector, 0);
}

/* Readers without a lock, while a writer changes everything around a region that stays. */
static _Atomic bool stop;

static void *reader(void *unused)
{
	struct region copy;
	size_t looks = 0;
	while (!atomic_load(&stop)) {
		if (!region_peek(PAGE(PAGES), &copy) || copy.end != PAGE(PAGES + 1))
			return "the region that stays was not seen";
		if (region_copy_next(PAGE(looks++ % PAGES), &copy) && copy.start >= copy.end)
			return "a torn region was seen";
	}
	return unused;
}

static void test_readers_without_a_lock(void **state)
{
	pthread_t threads[2];
	void *complaint;
	const struct region stays = {
		.start = PAGE(PAGES), .end = PAGE(PAGES + 1), .protection = PROT_WRITE};
	(void)state;
	clear();
	assert_non_null(region_insert(&stays));
	atomic_store(&stop, false);
	for (unsigned i = 0; i < 2; i++)
		assert_int_equal(pthread_create(&threads[i], NULL, reader, NULL), 0);
	for (unsigned round = 0; round < 200000; round++) {
		unsigned start = pick(PAGES - 8);
		if (pick(3))
			insert(start, start + 1 + pick(8), 1);
		else
			removes(start, start + 1 + pick(8));
	}
	atomic_store(&stop, true);
	for (unsigned i = 0; i < 2; i++) {
		pthread_join(threads[i], &complaint);
		if (complaint)
			fail_msg("%s", (const char *)complaint);
	}
	clear();
	memset(marks, 0, sizeof(marks));
}

/* ---- pages against two arrays ---- */

static bool open_pages[PAGES];
static uint32_t events[PAGES];

static void page_step(void)
{
	unsigned start = pick(PAGES - 1), end = start + 1 + pick(PAGES - start - 1) / 16, to;
	switch (pick(8)) {
	case 0:
		pages_arm(PAGE(start), PAGE(end));
		memset(open_pages + start, 0, end - start);
		break;
	case 1:
		pages_forget(PAGE(start), PAGE(end));
		memset(open_pages + start, 0, end - start);
		memset(events + start, 0, (end - start) * sizeof(*events));
		break;
	case 2: /* to a place that does not overlap, as mremap has it */
		to = start >= PAGES / 2 ? start - PAGES / 2 : start + PAGES / 2;
		if (to + (end - start) > PAGES || end - start > PAGES / 2)
			break;
		pages_forget(PAGE(to), PAGE(to + (end - start)));
		pages_move(PAGE(start), PAGE(to), (end - start) * PAGE_SIZE);
		memcpy(open_pages + to, open_pages + start, end - start);
		memcpy(events + to, events + start, (end - start) * sizeof(*events));
		memset(open_pages + start, 0, end - start);
		memset(events + start, 0, (end - start) * sizeof(*events));
		break;
	case 3:
		pages_close(PAGE(start));
		open_pages[start] = false;
		break;
	default:
		assert_int_equal(pages_claim(PAGE(start)), !open_pages[start]);
		open_pages[start] = true;
		events[start] = 1 + pick(1000000);
		pages_set_event(PAGE(start), events[start]);
	}
}

static void check_open_runs(void)
{
	uintptr_t at = PAGE(0), run, run_end;
	unsigned expected = 0;
	while (pages_next_open(at, PAGE(PAGES), &run, &run_end)) {
		for (; PAGE(expected) < run; expected++)
			assert_false(open_pages[expected]);
		for (; PAGE(expected) < run_end; expected++)
			assert_true(open_pages[expected]);
		at = run_end;
	}
	for (; expected < PAGES; expected++)
		assert_false(open_pages[expected]);
}

static void test_pages(void **state)
{
	(void)state;
	for (unsigned round = 0; round < 40000; round++) {
		page_step();
		unsigned page = pick(PAGES);
		assert_int_equal(pages_is_open(PAGE(page)), open_pages[page]);
		assert_int_equal(pages_event(PAGE(page)), events[page]);
		if (round % 500 == 0)
			check_open_runs();
	}
	check_open_runs();
	pages_forget(PAGE(0), PAGE(PAGES));
}

/* One thread wins each page. */
static void *claimer(void *unused)
{
	uintptr_t won = 0;
	(void)unused;
	for (unsigned page = 0; page < PAGES; page++)
		won += pages_claim(PAGE(page));
	return (void *)won;
}

static void test_one_thread_claims_a_page(void **state)
{
	pthread_t threads[4];
	uintptr_t total = 0;
	void *won;
	(void)state;
	for (unsigned i = 0; i < 4; i++)
		assert_int_equal(pthread_create(&threads[i], NULL, claimer, NULL), 0);
	for (unsigned i = 0; i < 4; i++) {
		pthread_join(threads[i], &won);
		total += (uintptr_t)won;
	}
	assert_int_equal(total, PAGES);
	pages_forget(PAGE(0), PAGE(PAGES));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_random_operations),
		cmocka_unit_test(test_a_hole_in_the_middle_makes_two),
		cmocka_unit_test(test_the_selector_follows_armed_regions),
		cmocka_unit_test(test_readers_without_a_lock),
		cmocka_unit_test(test_pages),
		cmocka_unit_test(test_one_thread_claims_a_page),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
