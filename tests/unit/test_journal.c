/* sources: preload/record/journal.c preload/record/trace.c preload/record/trace_file.c preload/record/modules.c preload/record/names.c preload/record/perf_map.c preload/observe/maps.c preload/observe/stack_table.c preload/base/chunks.c preload/base/descriptor.c preload/base/memory.c preload/base/notice.c preload/base/options.c preload/base/sys.c preload/base/text.c */
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "record/journal.h"

#define THREADS 8
#define EACH 50000u

static struct first_write record_of(unsigned thread, unsigned n)
{
	return (struct first_write){
		.page = ((uint64_t)thread << 32 | n) << 12,
		.time = (uint64_t)n * 3,
		.stack = n,
		.thread = thread,
		.epoch = n % 7,
		.previous = n / 2,
		.syscall = (uint16_t)(n % 500),
		.kind = (uint8_t)(n % KINDS),
		.cause = (uint8_t)(n % CAUSES),
		.offset = (uint16_t)(n % 4097),
	};
}

static bool is_same(const struct kept_write *kept, const struct first_write *record)
{
	return kept && kept_page(kept) == record->page && kept->time == record->time &&
	       kept->stack == record->stack && kept->thread == record->thread &&
	       kept->epoch == record->epoch && kept->previous == record->previous &&
	       kept->syscall == record->syscall && kept->kind == record->kind &&
	       kept->cause == record->cause && kept->offset == record->offset;
}

static void an_empty_journal_has_no_records(void **state)
{
	(void)state;
	assert_int_equal(journal_count(), 0);
	assert_null(journal_get(0));
	assert_null(journal_get(1));
	assert_int_equal(journal_first(), 0);
}

static void a_record_reads_back_as_it_was_written(void **state)
{
	struct first_write record = record_of(3, 12345);
	uint32_t index = journal_append(&record);
	(void)state;
	assert_int_equal(index, 1);
	assert_true(is_same(journal_get(index), &record));
	assert_null(journal_get(2));
	assert_null(journal_get(UINT32_MAX));
}

static uint32_t indices[THREADS][EACH];

static void *append_many(void *argument)
{
	unsigned thread = (unsigned)(uintptr_t)argument;
	for (unsigned n = 0; n < EACH; n++) {
		struct first_write record = record_of(thread + 1, n);
		indices[thread][n] = journal_append(&record);
	}
	return NULL;
}

/* Whatever a reader sees while others write is a whole record. */
static void *read_along(void *stop)
{
	while (!__atomic_load_n((int *)stop, __ATOMIC_ACQUIRE)) {
		uint32_t count = journal_count();
		const struct kept_write *seen = journal_get(count);
		if (!seen)
			continue;
		struct first_write want = record_of(seen->thread, seen->stack);
		assert_true(is_same(seen, &want));
	}
	return NULL;
}

static void threads_append_at_once_and_nothing_is_lost(void **state)
{
	pthread_t threads[THREADS], reader;
	uint32_t before = journal_count();
	int stop = 0;

	(void)state;
	pthread_create(&reader, NULL, read_along, &stop);
	for (uintptr_t i = 0; i < THREADS; i++)
		pthread_create(&threads[i], NULL, append_many, (void *)i);
	for (unsigned i = 0; i < THREADS; i++)
		pthread_join(threads[i], NULL);
	__atomic_store_n(&stop, 1, __ATOMIC_RELEASE);
	pthread_join(reader, NULL);

	assert_int_equal(journal_count(), before + THREADS * EACH);
	assert_int_equal(journal_lost(), 0);
	for (unsigned thread = 0; thread < THREADS; thread++) {
		for (unsigned n = 0; n < EACH; n++) {
			struct first_write want = record_of(thread + 1, n);
			const struct kept_write *got = journal_get(indices[thread][n]);
			assert_true(is_same(got, &want));
		}
	}
}

/* What the kernel can give at most. */
static const struct first_write largest = {
	.page = ((uint64_t)1 << 57) - 4096,
	.time = UINT64_MAX,
	.stack = UINT32_MAX,
	.thread = (1 << 22) - 1,
	.epoch = UINT32_MAX,
	.previous = UINT32_MAX,
	.syscall = 1023,
	.kind = KINDS - 1,
	.cause = CAUSES - 1,
	.offset = 4096,
};

static void the_largest_values_are_kept(void **state)
{
	(void)state;
	assert_true(is_same(journal_get(journal_append(&largest)), &largest));
	assert_int_equal(journal_lost(), 0);
}

static void what_no_field_can_hold_is_counted_as_lost(void **state)
{
	struct first_write too_large[] = {largest, largest, largest, largest, largest};
	uint32_t count = journal_count();

	(void)state;
	too_large[0].page = (uint64_t)1 << 57;
	too_large[1].thread++;
	too_large[2].syscall++;
	too_large[3].kind = 8;
	too_large[4].cause = 4;
	for (unsigned i = 0; i < 5; i++) {
		assert_int_equal(journal_append(&too_large[i]), 0);
		assert_int_equal(journal_lost(), i + 1);
	}
	assert_int_equal(journal_count(), count);
}

static void a_forked_child_begins_after_the_records_of_its_parent(void **state)
{
	struct first_write record = record_of(1, 1);
	uint32_t count = journal_count();

	(void)state;
	assert_false(journal_is_child());
	journal_begin();
	assert_true(journal_is_child());
	assert_int_equal(journal_first(), count);
	assert_int_equal(journal_append(&record), count + 1);
	assert_non_null(journal_get(count));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(an_empty_journal_has_no_records),
		cmocka_unit_test(a_record_reads_back_as_it_was_written),
		cmocka_unit_test(threads_append_at_once_and_nothing_is_lost),
		cmocka_unit_test(the_largest_values_are_kept),
		cmocka_unit_test(what_no_field_can_hold_is_counted_as_lost),
		cmocka_unit_test(a_forked_child_begins_after_the_records_of_its_parent),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
