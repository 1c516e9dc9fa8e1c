/* sources: tools/model.c tools/model_read.c tools/model_code.c tools/model_snapshots.c tools/model_link.c tools/model_names.c tools/perf_map.c tools/trace_reader.c tools/symbolizer.c tools/symbolizer_module.c tools/dwarf_units.c tools/intern.c tools/table.c tools/ranges.c */
/* libraries: -ldw -lelf */
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <time.h>

#include <cmocka.h>

#include "../../tools/model.h"
#include "../../tools/model_names.h"
#include "../../tools/perf_map.h"
#include "trace_maker.h"

#define HEAP 0x10000000ul

static void add(struct model *model, struct maker *maker)
{
	int fd = maker_file(maker);
	assert_int_equal(model_add_file(model, fd, "made"), 0);
	close(fd);
}

/* ---- code ---- */

static const struct model_module *module_of(const struct model *model, uint32_t stack, uint32_t i)
{
	return &model->modules[model->frames[model->stacks[stack].frames[i]].module];
}

static uint64_t offset_of(const struct model *model, uint32_t stack, uint32_t i)
{
	return model->frames[model->stacks[stack].frames[i]].offset;
}

static void frames_are_places_in_files(void **state)
{
	const uint64_t addresses[] = {0x501010, 0x502020, 0x700000};
	struct maker maker;
	struct model model;
	uint32_t stack;
	(void)state;
	model_start(&model);
	maker_start(&maker, 100, 1000);
	maker_module(&maker, TRACE_ADD, 0x501000, 0x503000, 0x1000, "/lib/first.so");
	maker_stack(&maker, 5, addresses, 3);
	maker_write(&maker, HEAP, 5, 0, TRACE_KIND_FILL);
	maker_write(&maker, HEAP, 6, 0, TRACE_KIND_FILL); /* a stack that was lost */
	add(&model, &maker);
	stack = model.processes[0].writes[0].stack;
	assert_int_equal(model.stacks[stack].depth, 3);
	assert_string_equal(module_of(&model, stack, 0)->path, "/lib/first.so");
	assert_int_equal(module_of(&model, stack, 0)->id.length, 20);
	assert_int_equal(offset_of(&model, stack, 0), 0x1010);
	assert_int_equal(offset_of(&model, stack, 1), 0x201f); /* inside of the call */
	assert_null(module_of(&model, stack, 2)->path);
	assert_int_equal(offset_of(&model, stack, 2), 0x6fffff);
	assert_int_equal(model.processes[0].writes[1].stack, 0);
	model_free(&model);
}

static void code_is_what_was_there_at_that_time(void **state)
{
	const uint64_t early[] = {0x900010}, address[] = {0x501010}, other[] = {0x501020};
	struct maker maker;
	struct model model;
	const struct model_write *writes;
	(void)state;
	model_start(&model);
	maker_start(&maker, 100, 1000);
	maker_stack(&maker, 1, early, 1); /* its module is noticed only later */
	maker_module(&maker, TRACE_ADD, 0x501000, 0x502000, 0, "/lib/first.so");
	maker_stack(&maker, 2, address, 1);
	maker_module(&maker, TRACE_REMOVE, 0x501000, 0x502000, 0, "");
	maker_module(&maker, TRACE_ADD, 0x501000, 0x502000, 0, "/lib/second.so");
	maker_stack(&maker, 3, other, 1);
	maker_module(&maker, TRACE_ADD, 0x900000, 0x901000, 0, "/lib/late.so");
	for (uint32_t i = 1; i <= 3; i++)
		maker_write(&maker, HEAP, i, 0, TRACE_KIND_FILL);
	add(&model, &maker);
	writes = model.processes[0].writes;
	assert_string_equal(module_of(&model, writes[0].stack, 0)->path, "/lib/late.so");
	assert_string_equal(module_of(&model, writes[1].stack, 0)->path, "/lib/first.so");
	assert_string_equal(module_of(&model, writes[2].stack, 0)->path, "/lib/second.so");
	model_free(&model);
}

static void equal_stacks_of_two_processes_are_one(void **state)
{
	const uint64_t here[] = {0x501010}, there[] = {0x601010};
	struct maker maker;
	struct model model;
	(void)state;
	model_start(&model);
	for (int i = 0; i < 2; i++) {
		maker_start(&maker, 100, 1000);
		maker_module(&maker, TRACE_ADD, i ? 0x601000 : 0x501000, i ? 0x602000 : 0x502000, 0,
			     "/lib/first.so");
		maker_stack(&maker, 1 + (uint32_t)i, i ? there : here, 1);
		maker_write(&maker, HEAP, 1 + (uint32_t)i, 0, TRACE_KIND_FILL);
		add(&model, &maker);
	}
	assert_int_equal(model.processes[0].writes[0].stack, model.processes[1].writes[0].stack);
	model_free(&model);
}

/* ---- mappings ---- */

static const char *name_at(const struct model *model, unsigned write)
{
	const struct model_process *process = &model->processes[0];
	return process->mappings[process->writes[write].mapping].name;
}

static void mappings_are_those_of_the_moment(void **state)
{
	struct maker maker;
	struct model model;
	const struct model_write *writes;
	(void)state;
	model_start(&model);
	maker_start(&maker, 100, 1000);
	maker_write(&maker, HEAP, 0, 0, TRACE_KIND_FILL); /* 0: before it is tracked */
	maker_mapping(&maker, TRACE_ADD, HEAP, HEAP + 0x10000, NULL);
	maker_write(&maker, HEAP, 0, 0, TRACE_KIND_FILL); /* 1: its name comes later */
	maker_mapping(&maker, TRACE_NAME, HEAP, HEAP + 0x10000, "[heap]");
	maker_mapping(&maker, TRACE_ADD, HEAP + 0x4000, HEAP + 0x5000, "/file");
	maker_write(&maker, HEAP + 0x4000, 0, 0, TRACE_KIND_FILE); /* 2 */
	maker_write(&maker, HEAP + 0x5000, 0, 0, TRACE_KIND_FILL); /* 3 */
	maker_mapping(&maker, TRACE_REMOVE, HEAP + 0x5000, HEAP + 0x6000, NULL);
	maker_write(&maker, HEAP + 0x5000, 0, 0, TRACE_KIND_FILL); /* 4 */
	maker_mapping(&maker, TRACE_ADD, HEAP + 0x5000, HEAP + 0x6000, NULL);
	maker_write(&maker, HEAP + 0x5000, 0, 0, TRACE_KIND_FILL); /* 5: the name went too */
	add(&model, &maker);
	writes = model.processes[0].writes;
	assert_int_equal(writes[0].mapping, 0);
	assert_string_equal(name_at(&model, 1), "[heap]");
	assert_string_equal(name_at(&model, 2), "/file");
	assert_string_equal(name_at(&model, 3), "[heap]");
	assert_int_equal(writes[1].mapping, writes[3].mapping);
	assert_int_equal(writes[4].mapping, 0);
	assert_null(name_at(&model, 5));
	assert_int_not_equal(writes[5].mapping, 0);
	model_free(&model);
}

/* ---- snapshots ---- */

static void runs_outside_of_their_mapping_are_dropped(void **state)
{
	/* The first two are sound. The others: before, behind, too long, not on a page, empty. */
	static const uint64_t starts[] = {HEAP + 0x3000,  HEAP,          HEAP - 4096,
					  HEAP + 0x10000, HEAP + 0x5000, HEAP + 0x8001,
					  HEAP + 0x6000};
	static const uint64_t pages[] = {2, 3, 1, 1, 100, 1, 0};
	enum { RUNS = sizeof(starts) / sizeof(starts[0]) };
	struct trace_snapshot_runs *runs;
	const struct model_snapshot *snapshot;
	struct maker maker;
	struct model model;
	(void)state;
	model_start(&model);
	maker_start(&maker, 100, 1000);
	maker_snapshot(&maker, HEAP, HEAP + 0x10000, 'C', 0); /* whose own run is empty */
	maker_cost(&maker, 77);
	runs = maker_record(&maker, TRACE_SNAPSHOT_RUNS, sizeof(*runs),
			    RUNS * sizeof(runs->runs[0]));
	runs->snapshot = 1;
	runs->count = RUNS;
	for (int i = 0; i < RUNS; i++) {
		runs->runs[i].start = starts[i];
		runs->runs[i].pages = pages[i] | (uint64_t)(i == 1 ? 's' : 7) << 56;
	}
	runs = maker_record(&maker, TRACE_SNAPSHOT_RUNS, sizeof(*runs), sizeof(runs->runs[0]));
	runs->snapshot = 1;
	runs->mapping = 3; /* there is none */
	runs->count = 1;
	runs->runs[0].start = HEAP;
	runs->runs[0].pages = 1;
	add(&model, &maker);
	snapshot = model_last_snapshot(&model.processes[0]);
	assert_non_null(snapshot);
	assert_string_equal(snapshot->mappings[0].name, "[heap]");
	assert_int_equal(snapshot->run_count, 2);
	assert_int_equal(snapshot->runs[0].start, HEAP);
	assert_int_equal(snapshot->runs[0].letter, 's');
	assert_int_equal(snapshot->runs[0].pages, 3);
	assert_int_equal(snapshot->runs[1].start, HEAP + 0x3000);
	assert_int_equal(snapshot->runs[1].letter, '?');
	assert_int_equal(snapshot->cost.faults, 77);
	model_free(&model);
}

/* ---- the tree ---- */

static struct trace_header *make_child(struct maker *maker, uint32_t pid, uint64_t time,
				       uint32_t parent, uint64_t parent_time)
{
	struct trace_header *header = maker_start(maker, pid, time);
	header->flags = TRACE_FORKED;
	header->parent = parent;
	header->parent_time = parent_time;
	header->epoch = 1;
	return header;
}

static void processes_are_linked_by_pid_and_time(void **state)
{
	struct maker maker;
	struct model model;
	(void)state;
	model_start(&model);
	make_child(&maker, 102, 3000, 100, 1000); /* 0 */
	add(&model, &maker);
	make_child(&maker, 101, 2000, 100, 1000); /* 1 */
	add(&model, &maker);
	maker_start(&maker, 100, 1000); /* 2 */
	maker_close(&maker, TRACE_REASON_EXEC);
	add(&model, &maker);
	maker_start(&maker, 100, 5000); /* 3: after exec */
	add(&model, &maker);
	maker_start(&maker, 200, 6000)->flags = TRACE_INHERITED; /* 4 */
	maker_header(&maker)->parent = 100;
	add(&model, &maker);
	make_child(&maker, 300, 4000, 100, 999); /* 5: of a trace that is not here */
	add(&model, &maker);
	assert_int_equal(model_link(&model), 0);
	assert_int_equal(model.processes[0].parent, 2);
	assert_int_equal(model.processes[1].parent, 2);
	assert_int_equal(model.processes[2].parent, MODEL_NONE);
	assert_int_equal(model.processes[3].parent, 2);
	assert_int_equal(model.processes[3].origin, ORIGIN_EXEC);
	assert_int_equal(model.processes[4].parent, 3);
	assert_int_equal(model.processes[4].origin, ORIGIN_PROGRAM);
	assert_int_equal(model.processes[5].parent, MODEL_NONE);
	{
		static const uint32_t order[] = {2, 1, 0, 3, 4, 5};
		assert_memory_equal(model.order, order, sizeof(order));
	}
	assert_int_equal(model.processes[4].level, 2);
	model_free(&model);
}

static void traces_that_name_each_other_make_no_circle(void **state)
{
	struct maker maker;
	struct model model;
	(void)state;
	model_start(&model);
	make_child(&maker, 100, 1000, 101, 2000);
	add(&model, &maker);
	make_child(&maker, 101, 2000, 100, 1000);
	add(&model, &maker);
	make_child(&maker, 102, 3000, 102, 3000);
	add(&model, &maker);
	assert_int_equal(model_link(&model), 0);
	assert_int_equal(model.processes[0].parent, MODEL_NONE);
	assert_int_equal(model.processes[1].parent, 0);
	assert_int_equal(model.processes[2].parent, MODEL_NONE);
	model_free(&model);
}

static void sides_are_those_of_the_last_fork(void **state)
{
	struct model_process process = {0};
	(void)state;
	assert_int_equal(model_side(&process, 0), SIDE_NONE);
	assert_int_equal(model_side(&process, 1), SIDE_PARENT);
	process.header.flags = TRACE_FORKED;
	process.header.epoch = 3;
	assert_int_equal(model_side(&process, 3), SIDE_CHILD);
	assert_int_equal(model_side(&process, 4), SIDE_PARENT);
}

/* ---- files ---- */

static void folders_give_all_their_traces(void **state)
{
	char folder[] = "/tmp/cowspy-model.XXXXXX", path[64];
	struct maker maker;
	struct model model;
	int fd;
	(void)state;
	assert_non_null(mkdtemp(folder));
	for (int i = 0; i < 3; i++) {
		maker_start(&maker, 100 + (uint32_t)i, 1000);
		if (i == 2)
			maker_header(&maker)->magic = 1;
		snprintf(path, sizeof(path), "%s/%d", folder, i);
		fd = open(path, O_WRONLY | O_CREAT, 0600);
		assert_int_equal(write(fd, maker.bytes, maker.length), maker.length);
		close(fd);
		free(maker.bytes);
	}
	model_start(&model);
	assert_int_equal(model_add(&model, folder), 0);
	assert_int_equal(model.process_count, 2);
	assert_int_equal(model.skipped, 1);
	assert_int_equal(model_add(&model, path), -ENOMSG);
	assert_int_equal(model_add(&model, "/nonexistent"), -ENOENT);
	assert_int_equal(model_add(&model, "/dev/zero"), -ENOMSG);
	model_free(&model);
	snprintf(path, sizeof(path), "rm -r %s", folder);
	assert_int_equal(system(path), 0);
}

static void generated_code_has_names_of_the_perf_map(void **state)
{
	struct intern strings = {0};
	struct perf_map_owner owner = {.uid = geteuid()};
	struct perf_map *map;
	char path[] = "/tmp/cowspy-perf.XXXXXX";
	static const char lines[] = "1000 100 first\nnonsense\n2000 zz no\n3000 10 with space\n"
				    "1080 10 second\nffffffffffffffff 10 around\n4000 10 last";
	int fd = mkstemp(path);
	(void)state;
	assert_int_equal(write(fd, lines, sizeof(lines) - 1), sizeof(lines) - 1);
	close(fd);
	map = perf_map_read(path, &owner, &strings);
	assert_string_equal(perf_map_find(map, 0x1000), "first");
	assert_string_equal(perf_map_find(map, 0x1085), "second");
	assert_string_equal(perf_map_find(map, 0x1090), "first");
	assert_string_equal(perf_map_find(map, 0x3000), "with space");
	assert_string_equal(perf_map_find(map, 0x4000), "last");
	assert_null(perf_map_find(map, 0x2000));
	assert_null(perf_map_find(map, 0x1100));
	perf_map_free(map);
	owner.since = time(NULL) + 10; /* of an earlier process */
	map = perf_map_read(path, &owner, &strings);
	assert_null(perf_map_find(map, 0x1000));
	perf_map_free(map);
	unlink(path);
	intern_free(&strings);
}

static void changes_belong_to_their_first_writes(void **state)
{
	struct maker maker;
	struct model model;
	const struct model_write *writes;
	(void)state;
	model_start(&model);
	maker_start(&maker, 100, 1000);
	for (uint32_t i = 0; i < 5; i++)
		maker_write(&maker, HEAP + i * 4096, 0, 0, TRACE_KIND_FORK)->event = i + 7;
	maker_change(&maker, 7, 0);
	maker_change(&maker, 8, 4096);
	maker_change(&maker, 9, 5);
	maker_change(&maker, 9, 6); /* at a later snapshot */
	maker_change(&maker, 10, 4097);
	maker_change(&maker, 11, 1)->count = 1000;
	maker_change(&maker, 12345, 1);
	maker_change(&maker, 0, 1);
	add(&model, &maker);
	writes = model.processes[0].writes;
	assert_int_equal(writes[0].changed, 1);
	assert_int_equal(writes[1].changed, 4097);
	assert_int_equal(writes[2].changed, 7);
	assert_int_equal(writes[3].changed, 0);
	assert_int_equal(writes[4].changed, 0);
	assert_int_equal(model.processes[0].damage.records, 1);
	model_free(&model);
}

static void sums_of_children_are_added_by_command(void **state)
{
	struct maker maker;
	struct model model;
	(void)state;
	model_start(&model);
	for (int i = 0; i < 2; i++) {
		maker_start(&maker, 0, 1000)->flags = TRACE_TOTALS;
		maker_children(&maker, "worker", 3, 7);
		maker_children(&maker, "exactly sixteen!", 1, 1);
		maker_children(&maker, "worker", 1, 9);
		add(&model, &maker);
	}
	assert_int_equal(model.process_count, 0);
	assert_int_equal(model.children_count, 2);
	assert_string_equal(model.children[0].command, "worker");
	assert_int_equal(model.children[0].sums.processes, 8);
	assert_int_equal(model.children[0].sums.copied, 32);
	assert_int_equal(model.children[0].sums.most, 9);
	assert_string_equal(model.children[1].command, "exactly sixteen!");
	model_free(&model);
}

/* A pid that is used again: its later process is no image of the first one. */
static void processes_of_one_pid_are_told_apart(void **state)
{
	struct maker maker;
	struct model model;
	(void)state;
	model_start(&model);
	maker_start(&maker, 100, 1000);
	maker_close(&maker, TRACE_REASON_EXIT);
	add(&model, &maker);
	maker_start(&maker, 100, 5000);
	maker_close(&maker, TRACE_REASON_EXEC);
	add(&model, &maker);
	maker_start(&maker, 100, 6000);
	add(&model, &maker);
	maker_start(&maker, 101, 5500)->flags = TRACE_FORKED;
	maker_header(&maker)->parent = 100;
	maker_header(&maker)->parent_time = 5000;
	add(&model, &maker);
	assert_int_equal(model_link(&model), 0);
	assert_false(model.processes[0].pid_again);
	assert_true(model.processes[1].pid_again);
	assert_int_equal(model.processes[1].parent, MODEL_NONE);
	assert_int_equal(model.processes[1].begun, 4000);
	assert_int_equal(model.processes[2].origin, ORIGIN_EXEC);
	assert_true(model.processes[2].pid_again);
	assert_int_equal(model.processes[3].parent, 1);
	assert_false(model.processes[3].pid_again);
	model_free(&model);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(frames_are_places_in_files),
		cmocka_unit_test(code_is_what_was_there_at_that_time),
		cmocka_unit_test(equal_stacks_of_two_processes_are_one),
		cmocka_unit_test(mappings_are_those_of_the_moment),
		cmocka_unit_test(runs_outside_of_their_mapping_are_dropped),
		cmocka_unit_test(processes_are_linked_by_pid_and_time),
		cmocka_unit_test(traces_that_name_each_other_make_no_circle),
		cmocka_unit_test(sides_are_those_of_the_last_fork),
		cmocka_unit_test(folders_give_all_their_traces),
		cmocka_unit_test(changes_belong_to_their_first_writes),
		cmocka_unit_test(sums_of_children_are_added_by_command),
		cmocka_unit_test(processes_of_one_pid_are_told_apart),
		cmocka_unit_test(generated_code_has_names_of_the_perf_map),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
