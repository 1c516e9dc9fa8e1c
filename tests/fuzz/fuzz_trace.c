/*
 * libFuzzer target: any bytes as a recording, read, linked, reported, exported in all formats, drawn.
 * A magic number further on begins another file, so that trees of processes come about too. Names
 * are not looked up: what elfutils reads of this machine's files is not the subject.
 */
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "../../tools/diff.h"
#include "../../tools/export.h"
#include "../../tools/html.h"
#include "../../tools/report.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void add(struct model *model, const uint8_t *data, size_t size)
{
	static int fd = -1;
	if (fd < 0)
		fd = memfd_create("trace", MFD_CLOEXEC);
	if (ftruncate(fd, 0) != 0 || pwrite(fd, data, size, 0) != (ssize_t)size)
		return;
	model_add_file(model, fd, "fuzz");
}

static size_t next_file(const uint8_t *data, size_t size, size_t from)
{
	static const char magic[] = "COWTRACE";
	const uint8_t *found = from + 8 <= size ? memmem(data + from + 8, size - from - 8, magic, 8)
						: NULL;
	return found ? (size_t)(found - data) : size;
}

static void read_files(struct model *model, const uint8_t *data, size_t size)
{
	model_start(model);
	model->without_names = true;
	for (size_t from = 0; from < size;) {
		size_t end = next_file(data, size, from);
		add(model, data + from, end - from);
		from = end;
	}
	model_link(model);
}

static void print_report(struct model *model, enum group_by by, FILE *sink)
{
	struct report_options options = {.by = by, .pages = true, .callers = by == BY_OBJECT};
	static char buffer[4096];
	struct report report;
	struct text text;

	recording_options_start(&options.common, 16);
	text_start(&text, fileno(sink), buffer, sizeof(buffer));
	if (model->process_count && report_collect(&report, model, &options)) {
		report_print(&report, &text);
		text_flush(&text);
		report_free(&report);
	}
}

static void export_all(struct model *model, const struct selection *selection, FILE *sink)
{
	const struct export export = {
		.model = model, .selection = selection, .bytes = true, .stream = sink};
	export_pprof(&export);
	export_folded(&export);
	export_speedscope(&export);
	export_json(&export);
	export_csv(&export);
	export_openmetrics(&export);
}

static void compare(const uint8_t *data, size_t size, FILE *sink)
{
	struct model models[DIFF_SIDES];
	struct diff diff = {.models = models};
	const struct diff_options options = {.fail_above = -1};
	static char buffer[4096];
	struct text text;

	selection_start(&diff.selection);
	read_files(&models[DIFF_BEFORE], data, size);
	read_files(&models[DIFF_AFTER], data, size / 2);
	text_start(&text, fileno(sink), buffer, sizeof(buffer));
	if (diff_collect(&diff))
		diff_print(&diff, &options, &text);
	text_flush(&text);
	diff_free(&diff);
	if (models[DIFF_BEFORE].process_count && models[DIFF_AFTER].process_count)
		html_write(sink, models, (const char *const[]){"before", "after"}, DIFF_SIDES, 100);
	model_free(&models[DIFF_BEFORE]);
	model_free(&models[DIFF_AFTER]);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static FILE *sink;
	struct selection selection;
	struct model model;

	if (!sink)
		sink = fopen("/dev/null", "w");
	selection_start(&selection);
	read_files(&model, data, size);
	for (int by = 0; by < GROUPINGS; by++)
		print_report(&model, (enum group_by)by, sink);
	if (model.process_count)
		export_all(&model, &selection, sink);
	model_free(&model);
	compare(data, size, sink);
	return 0;
}
