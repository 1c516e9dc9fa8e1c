/*
 * A recording as the page's script reads it: JSON, then columns. The order of the numbers here is
 * that of tools/html/data.js.
 */
#include <errno.h>
#include <stdlib.h>

#include "export.h"
#include "html.h"
#include "html_lanes.h"
#include "html_pack.h"
#include "html_regions.h"
#include "model_names.h"

#define TIME_STEPS 512 /* of the whole recording: how finely runs tell times apart */

/* Strings, each once; number 0 is the empty one. */
struct strings {
	struct model *model;
	const char **list;
	size_t count, capacity;
	struct table numbers;
	bool failed;
};

struct data {
	struct html *html;
	struct model *model;
	const struct groups *groups; /* for its times */
	struct strings strings;
	struct pack pack;
	uint32_t *place; /* of each process, in the order of the tree */
};

static uint64_t string_number(struct strings *strings, const char *string)
{
	const char *kept = intern_string(&strings->model->strings, string ? string : "");
	uint32_t number = table_get(&strings->numbers, (uintptr_t)kept);

	if (number != TABLE_NONE)
		return number;
	if (!kept ||
	    !array_grow(&strings->list, strings->count, &strings->capacity, sizeof(kept)) ||
	    !table_set(&strings->numbers, (uintptr_t)kept, (uint32_t)strings->count)) {
		strings->failed = true;
		return 0;
	}
	strings->list[strings->count] = kept;
	return strings->count++;
}

/* ---- columns ---- */

static void pack_frames(struct data *data)
{
	struct model *model = data->model;

	pack_number(&data->pack, model->frame_count);
	for (uint32_t i = 0; i < model->frame_count; i++) {
		unsigned levels = export_levels(model, i);
		pack_number(&data->pack,
			    string_number(&data->strings,
					  model_module_name(model, model->frames[i].module)));
		pack_number(&data->pack, model_address(model, i));
		pack_number(&data->pack, levels);
		for (unsigned level = 0; level < levels; level++) {
			const struct source_line *line = export_level_line(model, i, level);
			pack_number(&data->pack, string_number(&data->strings, line->function));
			pack_number(&data->pack, string_number(&data->strings, line->file));
			pack_number(&data->pack, line->line);
		}
	}
	pack_number(&data->pack, model->stack_count);
	for (size_t i = 0; i < model->stack_count; i++) {
		pack_number(&data->pack, model->stacks[i].depth);
		for (uint32_t j = 0; j < model->stacks[i].depth; j++)
			pack_number(&data->pack, model->stacks[i].frames[j]);
	}
}

static void pack_regions(struct data *data, const struct model_process *process,
			 const struct regions *regions)
{
	const struct model_snapshot *snapshot = model_last_snapshot(process);
	uint32_t page_size = process->header.page_size;
	uint64_t last = 0;

	pack_number(&data->pack, regions->count);
	for (size_t i = 0; i < regions->count; i++) {
		const struct region *region = &regions->list[i];
		static const struct model_snapshot_mapping none;
		bool gone = region->snapshot_mapping == MODEL_NONE;
		const struct model_snapshot_mapping *mapping =
			gone ? &none : &snapshot->mappings[region->snapshot_mapping];
		pack_number(&data->pack, string_number(&data->strings, region->name));
		pack_number(&data->pack, region->start / page_size - last);
		pack_number(&data->pack, (region->end - region->start - 1) / page_size + 1);
		pack_number(&data->pack, (uint64_t)region->flags << 1 | gone);
		pack_number(&data->pack, region->limit);
		pack_number(&data->pack, mapping->copied);
		pack_number(&data->pack, mapping->attributed);
		pack_number(&data->pack, mapping->resident);
		last = region->start / page_size;
	}
}

static void pack_runs(struct data *data, const struct regions *regions)
{
	struct pack *pack = &data->pack;
	const struct region_run *runs = regions->runs;
	static const struct region_run none;

	pack_number(pack, regions->run_count);
	for (size_t i = 0; i < regions->run_count; i++)
		pack_number(pack, runs[i].region - (i ? runs[i - 1].region : 0));
	for (size_t i = 0; i < regions->run_count; i++) {
		bool same = i && runs[i].region == runs[i - 1].region;
		pack_signed(pack, (int64_t)(runs[i].start -
					    (same ? runs[i - 1].start + runs[i - 1].pages : 0)));
	}
	for (size_t i = 0; i < regions->run_count; i++)
		pack_number(pack, runs[i].pages);
	for (size_t i = 0; i < regions->run_count; i++)
		pack_number(pack, runs[i].kind | runs[i].cause << 3 | runs[i].latest << 6);
	for (size_t i = 0; i < regions->run_count; i++) {
		const struct region_run *before = i ? &runs[i - 1] : &none;
		pack_signed(pack, (int64_t)runs[i].stack - (int64_t)before->stack);
	}
	for (size_t i = 0; i < regions->run_count; i++) {
		const struct region_run *before = i ? &runs[i - 1] : &none;
		pack_signed(pack, (int64_t)runs[i].epoch - (int64_t)before->epoch);
	}
	for (size_t i = 0; i < regions->run_count; i++)
		pack_signed(pack,
			    (int64_t)(lane_time(runs[i].time, data->groups->begin) -
				      (i ? lane_time(runs[i - 1].time, data->groups->begin) : 0)));
}

/* Page states, region by region: those of mappings that became no region are left out. */
static bool pack_states(struct data *data, const struct model_process *process,
			const struct regions *regions)
{
	const struct model_snapshot *snapshot = model_last_snapshot(process);
	size_t count = snapshot ? snapshot->run_count : 0;
	struct table region_of = {0};
	bool done = true;
	size_t kept = 0;

	for (size_t i = 0; i < regions->count && done; i++)
		if (regions->list[i].snapshot_mapping != MODEL_NONE)
			done = table_set(
				&region_of,
				snapshot->mappings[regions->list[i].snapshot_mapping].index,
				(uint32_t)i);
	for (size_t i = 0; i < count; i++)
		kept += table_get(&region_of, snapshot->runs[i].mapping) != TABLE_NONE;
	pack_number(&data->pack, kept);
	for (size_t i = 0; i < count; i++) {
		const struct model_run *run = &snapshot->runs[i];
		uint32_t region = table_get(&region_of, run->mapping);
		if (region == TABLE_NONE)
			continue;
		pack_number(&data->pack, region);
		pack_number(&data->pack,
			    (run->start - regions->list[region].start) / process->header.page_size);
		pack_number(&data->pack, run->pages);
		pack_number(&data->pack, (unsigned char)run->letter);
	}
	table_free(&region_of);
	return done;
}

static bool pack_process(struct data *data, const struct model_process *process)
{
	uint64_t duration = data->groups->end - data->groups->begin;
	struct regions regions;
	bool done = regions_collect(&regions, process, duration / TIME_STEPS);

	if (done) {
		pack_regions(data, process, &regions);
		pack_runs(data, &regions);
		done = pack_states(data, process, &regions) &&
		       lanes_pack(&data->pack, process, data->groups->begin);
	}
	regions_free(&regions);
	return done;
}

/* ---- JSON ---- */

static void print_list(struct data *data, const char *key, const struct model_process *process)
{
	FILE *stream = data->html->stream;
	uint64_t begin = data->groups->begin;

	fprintf(stream, ",\"%s\":[", key);
	if (key[0] == 'f') {
		for (size_t i = 0; i < process->fork_count; i++)
			fprintf(stream, "%s[%ju,%u,%u]", i ? "," : "",
				(uintmax_t)lane_time(process->forks[i].time, begin),
				process->forks[i].child, process->forks[i].epoch);
	} else {
		for (size_t i = 0; i < process->label_count; i++) {
			fprintf(stream, "%s[%ju,%u,", i ? "," : "",
				(uintmax_t)lane_time(process->labels[i].time, begin),
				process->labels[i].epoch);
			html_json_string(stream, process->labels[i].text);
			putc(']', stream);
		}
	}
	putc(']', stream);
}

static void print_process(struct data *data, size_t i)
{
	const struct model_process *process = &data->model->processes[data->model->order[i]];
	FILE *stream = data->html->stream;

	fprintf(stream, "%s{\"name\":", i ? ",\n" : "\n");
	report_process_name(process, html_text(data->html));
	html_json_text_end(data->html);
	fprintf(stream,
		",\"pid\":%u,\"parent\":%d,\"level\":%u,\"epoch\":%u,\"forked\":%s,"
		"\"start\":%ju,\"end\":%ju,\"pageSize\":%u",
		process->header.pid,
		process->parent == MODEL_NONE ? -1 : (int)data->place[process->parent],
		process->level, process->header.epoch,
		process->header.flags & TRACE_FORKED ? "true" : "false",
		(uintmax_t)lane_time(process->header.time, data->groups->begin),
		(uintmax_t)lane_time(process->last_time, data->groups->begin),
		process->header.page_size);
	print_list(data, "forks", process);
	print_list(data, "labels", process);
	putc('}', stream);
}

static void print_json(struct data *data)
{
	FILE *stream = data->html->stream;

	fprintf(stream, "{\"duration\":%ju,\"strings\":[",
		(uintmax_t)lane_time(data->groups->end, data->groups->begin));
	for (size_t i = 0; i < data->strings.count; i++) {
		fputs(i ? ",\n" : "\n", stream);
		html_json_string(stream, data->strings.list[i]);
	}
	fputs("],\n\"processes\":[", stream);
	for (size_t i = 0; i < data->model->process_count; i++)
		print_process(data, i);
	fputs("]}", stream);
}

static bool write_columns(struct data *data, unsigned recording)
{
	bool done = pack_start(&data->pack, data->html->stream);

	if (!done)
		return false;
	fprintf(data->html->stream, "<script type=\"application/octet-stream\" id=\"columns%u\">",
		recording);
	string_number(&data->strings, "");
	pack_frames(data);
	for (size_t i = 0; i < data->model->process_count && done; i++)
		done = pack_process(data, &data->model->processes[data->model->order[i]]);
	done = pack_end(&data->pack) && done;
	fputs("</script>\n", data->html->stream);
	return done && !data->strings.failed;
}

int html_data(struct html *html, unsigned recording)
{
	struct data *data = calloc(1, sizeof(*data));
	struct model *model = &html->models[recording];
	bool done;

	if (!data)
		return -ENOMEM;
	data->html = html;
	data->model = data->strings.model = model;
	data->groups = &html->reports[recording].groups;
	data->place = calloc(model->process_count, sizeof(*data->place));
	for (uint32_t i = 0; data->place && i < model->process_count; i++)
		data->place[model->order[i]] = i;
	done = data->place && write_columns(data, recording);
	if (done) {
		fprintf(html->stream, "<script type=\"application/json\" id=\"names%u\">",
			recording);
		print_json(data);
		fputs("</script>\n", html->stream);
	}
	free(data->place);
	free(data->strings.list);
	table_free(&data->strings.numbers);
	free(data);
	return done ? 0 : -ENOMEM;
}
