/* All of a recording but the single first writes, for programs: one JSON object. */
#include <errno.h>

#include "export.h"
#include "model_names.h"
#include "samples.h"

static const char *next(size_t i)
{
	return i ? ",\n" : "\n";
}

static void print_key_string(FILE *stream, const char *key, const char *untrusted)
{
	fprintf(stream, "\"%s\":", key);
	export_json_string(stream, untrusted);
	putc(',', stream);
}

/* ---- processes ---- */

static void print_forks(FILE *stream, const struct model_process *process)
{
	fputs("\"forks\":[", stream);
	for (size_t i = 0; i < process->fork_count; i++)
		fprintf(stream, "%s{\"time\":%ju,\"child\":%u,\"epoch\":%u}", next(i),
			(uintmax_t)process->forks[i].time, process->forks[i].child,
			process->forks[i].epoch);
	fputs("],", stream);
}

static void print_labels(FILE *stream, const struct model_process *process)
{
	fputs("\"labels\":[", stream);
	for (size_t i = 0; i < process->label_count; i++) {
		const struct model_label *label = &process->labels[i];
		fprintf(stream, "%s{\"time\":%ju,\"thread\":%u,\"epoch\":%u,\"text\":", next(i),
			(uintmax_t)label->time, label->thread, label->epoch);
		export_json_string(stream, label->text);
		putc('}', stream);
	}
	fputs("],", stream);
}

static void print_snapshot_mappings(FILE *stream, const struct model_snapshot *snapshot)
{
	fputs("\"mappings\":[", stream);
	for (size_t i = 0; i < snapshot->mapping_count; i++) {
		const struct model_snapshot_mapping *mapping = &snapshot->mappings[i];
		fprintf(stream, "%s{\"start\":\"0x%jx\",\"end\":\"0x%jx\",", next(i),
			(uintmax_t)mapping->start, (uintmax_t)mapping->end);
		if (mapping->name)
			print_key_string(stream, "name", mapping->name);
		fprintf(stream,
			"\"tracked\":%s,\"copied\":%ju,\"attributed\":%ju,\"zero\":%ju,"
			"\"clean\":%ju,\"resident\":%ju,\"swapped\":%ju}",
			mapping->flags & TRACE_UNTRACKED ? "false" : "true",
			(uintmax_t)mapping->copied, (uintmax_t)mapping->attributed,
			(uintmax_t)mapping->zero, (uintmax_t)mapping->clean,
			(uintmax_t)mapping->resident, (uintmax_t)mapping->swapped);
	}
	fputs("]", stream);
}

static void print_snapshots(FILE *stream, const struct model_process *process)
{
	fputs("\"snapshots\":[", stream);
	for (size_t i = 0; i < process->snapshot_count; i++) {
		const struct model_snapshot *snapshot = &process->snapshots[i];
		fprintf(stream,
			"%s{\"time\":%ju,\"reason\":%u,\"epoch\":%u,\"error\":%u,\"complete\":%s,"
			"\"copied\":%ju,\"attributed\":%ju,\"reused\":%ju,",
			next(i), (uintmax_t)snapshot->time, snapshot->reason, snapshot->epoch,
			snapshot->error, snapshot->complete ? "true" : "false",
			(uintmax_t)snapshot->totals.copied, (uintmax_t)snapshot->totals.attributed,
			(uintmax_t)snapshot->totals.reused);
		print_snapshot_mappings(stream, snapshot);
		putc('}', stream);
	}
	fputs("],", stream);
}

static void print_process(const struct export *export, size_t i)
{
	static const char *const origins[] = {"start", "fork", "exec", "program"};
	const struct model_process *process = &export->model->processes[export->model->order[i]];
	FILE *stream = export->stream;

	fprintf(stream, "%s{\"process\":%u,\"pid\":%u,\"parent_pid\":%u,\"origin\":\"%s\",",
		next(i), export->model->order[i], process->header.pid, process->header.parent,
		origins[process->origin]);
	if (process->parent != MODEL_NONE)
		fprintf(stream, "\"parent\":%u,", process->parent);
	print_key_string(stream, "program", model_process_name(process));
	if (process->exe)
		print_key_string(stream, "exe", process->exe);
	fprintf(stream,
		"\"epoch\":%u,\"page_size\":%u,\"time\":%ju,\"wall_time\":%ju,\"last_time\":%ju,"
		"\"closed\":%s,",
		process->header.epoch, process->header.page_size, (uintmax_t)process->header.time,
		(uintmax_t)process->header.wall_time, (uintmax_t)process->last_time,
		process->closed ? "true" : "false");
	print_forks(stream, process);
	print_labels(stream, process);
	print_snapshots(stream, process);
	fprintf(stream, "\"lost\":%ju,\"pending\":%ju,\"damaged\":%s}",
		(uintmax_t)(process->loss_count ? process->losses[process->loss_count - 1].count
						: 0),
		(uintmax_t)process->damage.pending, process->damage.what ? "true" : "false");
}

/* ---- stacks and samples ---- */

static void print_frame(const struct export *export, uint32_t index)
{
	struct model *model = export->model;
	const struct model_frame *frame = &model->frames[index];
	FILE *stream = export->stream;

	fputs("{\"module\":", stream);
	export_json_string(stream, model_module_name(model, frame->module));
	fprintf(stream, ",\"address\":\"0x%jx\",\"lines\":[",
		(uintmax_t)model_address(model, index));
	for (unsigned level = 0; level < export_levels(model, index); level++) {
		const struct source_line *line = export_level_line(model, index, level);
		fputs(level ? ",{\"name\":" : "{\"name\":", stream);
		export_json_quoted(stream, export_level_name(model, index, level));
		if (line->file) {
			fputs(",\"file\":", stream);
			export_json_string(stream, line->file);
			fprintf(stream, ",\"line\":%u", line->line);
		}
		putc('}', stream);
	}
	fputs("]}", stream);
}

static void print_stacks(const struct export *export)
{
	const struct model *model = export->model;
	fputs("\"frames\":[", export->stream);
	for (uint32_t i = 0; i < model->frame_count; i++) {
		fputs(next(i), export->stream);
		print_frame(export, i);
	}
	fputs("],\n\"stacks\":[", export->stream);
	for (size_t i = 0; i < model->stack_count; i++) {
		fprintf(export->stream, "%s[", next(i));
		for (uint32_t j = 0; j < model->stacks[i].depth; j++)
			fprintf(export->stream, "%s%u", j ? "," : "", model->stacks[i].frames[j]);
		putc(']', export->stream);
	}
	fputs("],\n", export->stream);
}

static void print_sample(const struct export *export, const struct sample *sample, size_t i)
{
	const struct model_process *process = &export->model->processes[sample->process];
	fprintf(export->stream,
		"%s{\"process\":%u,\"stack\":%u,\"kind\":\"%s\",\"cause\":\"%s\",\"side\":\"%s\",",
		next(i), sample->process, sample->stack, model_kind_names[sample->kind],
		model_cause_names[sample->cause], model_side_names[sample->side]);
	if (sample->region)
		print_key_string(export->stream, "region", sample->region);
	fprintf(export->stream, "\"pages\":%ju,\"bytes\":%ju}", (uintmax_t)sample->writes,
		(uintmax_t)(sample->writes * process->header.page_size));
}

int export_json(const struct export *export)
{
	struct samples samples;
	bool collected = samples_collect(&samples, export->model, export->selection, true);

	if (collected) {
		fputs("{\"format\":\"cowspy\",\"version\":1,\"processes\":[", export->stream);
		for (size_t i = 0; i < export->model->process_count; i++)
			print_process(export, i);
		fputs("],\n", export->stream);
		print_stacks(export);
		fputs("\"samples\":[", export->stream);
		for (size_t i = 0; i < samples.count; i++)
			print_sample(export, &samples.list[i], i);
		fputs("]}\n", export->stream);
	}
	samples_free(&samples);
	return collected ? 0 : -ENOMEM;
}
