/* Writes the traces that fuzzing begins with into a folder: each has records of some kinds. */
#include <stdio.h>

#include "../unit/trace_maker.h"

#define HEAP 0x10000000ul

static const char *folder;

static void save(struct maker *maker, const char *name)
{
	char path[4096];
	FILE *file;
	snprintf(path, sizeof(path), "%s/%s", folder, name);
	file = fopen(path, "we");
	if (!file || fwrite(maker->bytes, maker->length, 1, file) != 1 || fclose(file) != 0) {
		perror(path);
		exit(1);
	}
	free(maker->bytes);
}

static void add_code(struct maker *maker)
{
	static const uint64_t addresses[] = {0x501010, 0x501020, 0x700000, 0xffffffffffffffff};
	maker_program(maker, "/usr/bin/program", "program");
	maker_record(maker, TRACE_OPTIONS, sizeof(struct trace_options), 0);
	maker_module(maker, TRACE_ADD, 0x501000, 0x503000, 0x1000, "/lib/first;\"\x1b[31m.so");
	for (uint32_t i = 1; i <= 4; i++)
		maker_stack(maker, i, addresses, i);
	maker_module(maker, TRACE_REMOVE, 0x501000, 0x502000, 0, "");
}

static void make_writes(void)
{
	struct maker maker;
	maker_start(&maker, 100, 1000);
	add_code(&maker);
	maker_mapping(&maker, TRACE_ADD, HEAP, HEAP + 0x100000, NULL);
	maker_mapping(&maker, TRACE_NAME, HEAP, HEAP + 0x10000, "[heap]");
	for (uint32_t i = 0; i < 12; i++)
		maker_write(&maker, HEAP + i * 4096, i % 6, 0, (uint8_t)(i % 7))->cause =
			(uint8_t)(i % 5);
	maker_mapping(&maker, TRACE_PROTECT, HEAP, HEAP + 0x10000, NULL);
	maker_mapping(&maker, TRACE_REMOVE, HEAP + 0x1000, HEAP + 0x3000, NULL);
	maker_label(&maker, "label\n\x1b]0;");
	maker_close(&maker, TRACE_REASON_EXIT);
	save(&maker, "writes");
}

static void make_snapshot(void)
{
	struct trace_limit *limit;
	struct trace_lost *lost;
	struct maker maker;
	maker_start(&maker, 100, 1000);
	maker_snapshot(&maker, HEAP, HEAP + 0x100000, 's', 17);
	maker_cost(&maker, 17);
	limit = maker_record(&maker, TRACE_LIMIT, sizeof(*limit), 0);
	limit->start = HEAP;
	limit->end = HEAP + 0x1000;
	limit->reason = TRACE_LIMIT_NO_VMA;
	maker_record(&maker, TRACE_GIVEN_BACK, sizeof(struct trace_given_back), 0);
	lost = maker_record(&maker, TRACE_LOST, sizeof(*lost), 0);
	lost->reason = TRACE_LOST_SPACE;
	lost->error = 28;
	lost->count = 5;
	maker_record(&maker, TRACE_FILLER, 8, 64);
	maker_record(&maker, TRACE_PENDING, 64, 0);
	maker_room(&maker, 64);
	save(&maker, "snapshot");
}

/* Parent, child and what the parent exec'ed, one behind the other. */
static void make_tree(void)
{
	struct maker maker, part;
	maker_start(&maker, 100, 1000);
	maker_fork(&maker, 1500, 101, 1);
	maker_write(&maker, HEAP, 0, 1, TRACE_KIND_FORK);
	maker_close(&maker, TRACE_REASON_EXEC);
	maker_start(&part, 101, 1600)->flags = TRACE_FORKED;
	maker_header(&part)->parent = 100;
	maker_header(&part)->parent_time = 1000;
	maker_header(&part)->fork_time = 1500;
	maker_header(&part)->epoch = 1;
	maker_write(&part, HEAP, 0, 1, TRACE_KIND_REUSE);
	memcpy(maker_room(&maker, part.length), part.bytes, part.length);
	free(part.bytes);
	maker_start(&part, 100, 2000)->flags = TRACE_INHERITED;
	memcpy(maker_room(&maker, part.length), part.bytes, part.length);
	free(part.bytes);
	save(&maker, "tree");
}

static void make_changes(void)
{
	struct maker maker;
	maker_start(&maker, 100, 1000);
	for (uint32_t i = 1; i < 4; i++)
		maker_write(&maker, HEAP + i * 4096, 0, 0, TRACE_KIND_FORK)->event = i;
	for (uint32_t i = 1; i < 4; i++)
		maker_change(&maker, i, i * 2048 - 2048);
	save(&maker, "changes");
}

static void make_children(void)
{
	struct maker maker;
	maker_start(&maker, 0, 1000)->flags = TRACE_TOTALS;
	maker_children(&maker, "worker\x1b[1m", 3, 7);
	maker_children(&maker, "exactly sixteen!", 1, 1);
	save(&maker, "children");
}

static void make_empty(void)
{
	struct maker maker;
	maker_start(&maker, 100, 1000);
	save(&maker, "empty");
}

int main(int argc, char **argv)
{
	if (argc != 2) {
		fprintf(stderr, "usage: make_corpus FOLDER\n");
		return 2;
	}
	folder = argv[1];
	make_empty();
	make_changes();
	make_children();
	make_writes();
	make_snapshot();
	make_tree();
	return 0;
}
