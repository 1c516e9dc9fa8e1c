/* sources: tools/trace_reader.c */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include "../../tools/trace_reader.h"
#include "trace_maker.h"

static const uint64_t addresses[] = {0x401000, 0x402000, 0x403000};

/* Read everything, and count. The damage stays in the reader. */
static unsigned read_all(struct trace_reader *reader, struct maker *maker)
{
	unsigned count = 0;
	int fd = maker_file(maker);
	assert_int_equal(trace_reader_start(reader, fd), 0);
	while (trace_reader_next(reader))
		count++;
	trace_reader_end(reader);
	close(fd);
	return count;
}

static int start_error(struct maker *maker)
{
	struct trace_reader reader;
	int fd = maker_file(maker), error = trace_reader_start(&reader, fd);
	close(fd);
	if (!error)
		trace_reader_end(&reader);
	return error;
}

static void make_writes(struct maker *maker, unsigned count)
{
	maker_start(maker, 100, 1000);
	for (unsigned i = 0; i < count; i++)
		maker_write(maker, 0x10000 + i * 4096ul, 0, 0, TRACE_KIND_FILL);
}

static void records_come_in_order(void **state)
{
	struct trace_reader reader;
	struct maker maker;
	int fd;
	(void)state;
	make_writes(&maker, 10000);
	fd = maker_file(&maker);
	assert_int_equal(trace_reader_start(&reader, fd), 0);
	assert_int_equal(reader.header.pid, 100);
	for (unsigned i = 0; i < 10000; i++) {
		const struct trace_record *record = trace_reader_next(&reader);
		assert_non_null(record);
		assert_int_equal(record->type, TRACE_FIRST_WRITE);
		assert_int_equal(((const struct trace_first_write *)record)->page,
				 0x10000 + i * 4096ul);
	}
	assert_null(trace_reader_next(&reader));
	assert_null(trace_reader_next(&reader));
	assert_null(reader.damage.what);
	trace_reader_end(&reader);
	close(fd);
}

static void zeros_are_the_end(void **state)
{
	struct trace_reader reader;
	struct maker maker;
	(void)state;
	make_writes(&maker, 3);
	maker_room(&maker, 1 << 20);
	assert_int_equal(read_all(&reader, &maker), 3);
	assert_null(reader.damage.what);
}

static void data_behind_zeros_is_damage(void **state)
{
	struct trace_reader reader;
	struct maker maker;
	size_t end;
	(void)state;
	make_writes(&maker, 3);
	end = maker.length;
	maker_room(&maker, 1 << 20);
	maker_write(&maker, 4096, 0, 0, TRACE_KIND_FILL);
	assert_int_equal(read_all(&reader, &maker), 3);
	assert_non_null(reader.damage.what);
	assert_true(reader.damage.cut);
	assert_int_equal(reader.damage.offset, end);
}

static void pending_records_and_fillers_are_stepped_over(void **state)
{
	struct trace_reader reader;
	struct maker maker;
	(void)state;
	make_writes(&maker, 1);
	maker_write(&maker, 4096, 0, 0, TRACE_KIND_FILL)->record.type = TRACE_PENDING;
	maker_record(&maker, TRACE_FILLER, 8, 100000);
	maker_record(&maker, 4711, 8, 100000);
	maker_write(&maker, 8192, 0, 0, TRACE_KIND_FILL);
	assert_int_equal(read_all(&reader, &maker), 2);
	assert_null(reader.damage.what);
	assert_int_equal(reader.damage.pending, 1);
	assert_int_equal(reader.damage.unknown, 1);
}

/* The second of three records has this size: what is left, and where the damage is. */
static void check_size(uint32_t size, unsigned left, bool cut)
{
	struct trace_reader reader;
	struct maker maker;
	size_t offset;

	make_writes(&maker, 3);
	offset = sizeof(struct trace_header) + sizeof(struct trace_first_write);
	((struct trace_record *)(maker.bytes + offset))->size = size;
	assert_int_equal(read_all(&reader, &maker), left);
	assert_non_null(reader.damage.what);
	assert_int_equal(reader.damage.offset, offset);
	assert_int_equal(reader.damage.cut, cut);
}

static void sizes_that_cannot_be_cut_the_file(void **state)
{
	(void)state;
	check_size(0, 1, true); /* with a type */
	check_size(4, 1, true);
	check_size(60, 1, true);
	check_size(UINT32_MAX, 1, true);
	check_size(UINT32_MAX - 7, 1, true);
	check_size(3 * sizeof(struct trace_first_write), 1, true);
}

static void records_that_are_too_small_are_damaged_alone(void **state)
{
	struct trace_reader reader;
	struct maker maker;
	size_t offset;
	(void)state;
	make_writes(&maker, 1);
	offset = maker.length;
	maker_record(&maker, TRACE_FIRST_WRITE, 16, 0);
	maker_record(&maker, TRACE_CLOSE, 8, 0);
	maker_write(&maker, 8192, 0, 0, TRACE_KIND_FILL);
	assert_int_equal(read_all(&reader, &maker), 2);
	assert_int_equal(reader.damage.records, 2);
	assert_int_equal(reader.damage.offset, offset);
	assert_false(reader.damage.cut);
}

static void larger_records_are_of_newer_writers(void **state)
{
	struct trace_reader reader;
	struct maker maker;
	struct trace_program *program;
	(void)state;
	make_writes(&maker, 0);
	maker_record(&maker, TRACE_FIRST_WRITE, sizeof(struct trace_first_write), 64);
	program = maker_record(&maker, TRACE_PROGRAM, sizeof(*program), 64);
	program->head = sizeof(*program) + 32;
	program->exe_length = 32;
	assert_int_equal(read_all(&reader, &maker), 2);
	assert_null(reader.damage.what);
}

static void huge_records_are_left_out(void **state)
{
	struct trace_reader reader;
	struct maker maker;
	(void)state;
	make_writes(&maker, 0);
	maker_record(&maker, TRACE_STACK, sizeof(struct trace_stack), TRACE_RECORD_MOST);
	maker_write(&maker, 8192, 0, 0, TRACE_KIND_FILL);
	assert_int_equal(read_all(&reader, &maker), 1);
	assert_int_equal(reader.damage.records, 1);
}

static void lengths_inside_must_fit(void **state)
{
	struct trace_reader reader;
	struct maker maker;
	struct trace_record *record;
	(void)state;
	maker_start(&maker, 1, 1);
	maker_program(&maker, "/bin/true", "true");
	((struct trace_program *)(maker.bytes + sizeof(struct trace_header)))->head = 0;
	record = maker_record(&maker, TRACE_STACK, sizeof(struct trace_stack), 24);
	((struct trace_stack *)record)->depth = 4;
	record = maker_record(&maker, TRACE_STACK, sizeof(struct trace_stack), 24);
	((struct trace_stack *)record)->depth = UINT32_MAX;
	record = maker_record(&maker, TRACE_LABEL, sizeof(struct trace_label), 8);
	((struct trace_label *)record)->head = sizeof(struct trace_label);
	((struct trace_label *)record)->length = 9;
	record = maker_record(&maker, TRACE_LABEL, sizeof(struct trace_label), 8);
	((struct trace_label *)record)->head = UINT32_MAX;
	record = maker_record(&maker, TRACE_SNAPSHOT_RUNS, sizeof(struct trace_snapshot_runs), 16);
	((struct trace_snapshot_runs *)record)->count = 0x10000001;
	maker_mapping(&maker, TRACE_ADD, 8192, 4096, NULL);
	maker_stack(&maker, 1, addresses, 3);
	assert_int_equal(read_all(&reader, &maker), 1);
	assert_int_equal(reader.damage.records, 7);
	assert_int_equal(reader.damage.offset, sizeof(struct trace_header));
}

/* Whatever the file is cut to, all that is whole in it is read. */
static void truncated_files_give_what_is_whole(void **state)
{
	const size_t one = sizeof(struct trace_first_write), head = sizeof(struct trace_header);
	(void)state;
	for (size_t length = 8; length < head + 3 * one; length++) {
		struct trace_reader reader;
		struct maker maker;
		unsigned whole = length < head ? 0 : (unsigned)((length - head) / one);
		make_writes(&maker, 3);
		maker.length = length;
		assert_int_equal(read_all(&reader, &maker), whole);
		if (length < head || (length - head) % one)
			assert_non_null(reader.damage.what);
		else
			assert_null(reader.damage.what);
	}
}

static void what_is_no_trace_is_refused(void **state)
{
	struct maker maker;
	(void)state;
	maker_start(&maker, 1, 1)->magic++;
	assert_int_equal(start_error(&maker), -ENOMSG);
	maker_start(&maker, 1, 1);
	maker.length = 7;
	assert_int_equal(start_error(&maker), -ENOMSG);
	maker_start(&maker, 1, 1);
	maker.length = 0;
	assert_int_equal(start_error(&maker), -ENOMSG);
	maker_start(&maker, 1, 1)->version = TRACE_VERSION + 1;
	assert_int_equal(start_error(&maker), -EPROTONOSUPPORT);
}

static void a_damaged_header_does_not_lose_the_records(void **state)
{
	struct trace_reader reader;
	struct maker maker;
	(void)state;
	make_writes(&maker, 2);
	maker_header(&maker)->header_size = 17;
	maker_header(&maker)->page_size = 0;
	maker_header(&maker)->build_id_length = UINT32_MAX;
	assert_int_equal(read_all(&reader, &maker), 2);
	assert_int_equal(reader.damage.offset, offsetof(struct trace_header, header_size));
	assert_int_equal(reader.header.page_size, 4096);
	assert_int_equal(reader.header.build_id_length, 0);
}

static void a_larger_header_is_stepped_over(void **state)
{
	struct trace_reader reader;
	struct maker maker;
	(void)state;
	maker_start(&maker, 1, 1)->header_size = sizeof(struct trace_header) + 16;
	maker_room(&maker, 16);
	maker_write(&maker, 8192, 0, 0, TRACE_KIND_FILL);
	assert_int_equal(read_all(&reader, &maker), 1);
	assert_null(reader.damage.what);
}

static void a_growing_file_is_read_as_far_as_it_reaches(void **state)
{
	struct trace_reader reader;
	struct trace_first_write write = {.record = {TRACE_FIRST_WRITE, sizeof(write)}, .page = 1};
	struct maker maker;
	int fd;
	(void)state;
	make_writes(&maker, 1);
	fd = maker_file(&maker);
	assert_int_equal(trace_reader_start(&reader, fd), 0);
	for (int i = 0; i < 3; i++) {
		assert_non_null(trace_reader_next(&reader));
		assert_null(trace_reader_next(&reader));
		assert_int_equal(pwrite(fd, &write, sizeof(write), lseek(fd, 0, SEEK_END)),
				 sizeof(write));
	}
	trace_reader_end(&reader);
	close(fd);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(records_come_in_order),
		cmocka_unit_test(zeros_are_the_end),
		cmocka_unit_test(data_behind_zeros_is_damage),
		cmocka_unit_test(pending_records_and_fillers_are_stepped_over),
		cmocka_unit_test(sizes_that_cannot_be_cut_the_file),
		cmocka_unit_test(records_that_are_too_small_are_damaged_alone),
		cmocka_unit_test(larger_records_are_of_newer_writers),
		cmocka_unit_test(huge_records_are_left_out),
		cmocka_unit_test(lengths_inside_must_fit),
		cmocka_unit_test(truncated_files_give_what_is_whole),
		cmocka_unit_test(what_is_no_trace_is_refused),
		cmocka_unit_test(a_damaged_header_does_not_lose_the_records),
		cmocka_unit_test(a_larger_header_is_stepped_over),
		cmocka_unit_test(a_growing_file_is_read_as_far_as_it_reaches),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
