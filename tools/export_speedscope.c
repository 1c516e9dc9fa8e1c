/* The file format of speedscope: frames once, one profile a process. */
#include <errno.h>
#include <stdlib.h>

#include "export.h"
#include "samples.h"

struct numbers {
	const struct export *export;
	uint32_t *first; /* number of a model frame's innermost level, plus 1; 0: not printed yet */
	uint32_t count;
};

static void print_frame(struct numbers *numbers, uint32_t frame)
{
	struct model *model = numbers->export->model;
	FILE *stream = numbers->export->stream;

	if (numbers->first[frame])
		return;
	numbers->first[frame] = numbers->count + 1;
	for (unsigned level = 0; level < export_levels(model, frame); level++) {
		const struct source_line *line = export_level_line(model, frame, level);
		fputs(numbers->count++ ? ",\n{\"name\":" : "\n{\"name\":", stream);
		export_json_quoted(stream, export_level_name(model, frame, level));
		if (line->file) {
			fputs(",\"file\":", stream);
			export_json_string(stream, line->file);
			fprintf(stream, ",\"line\":%u", line->line);
		}
		putc('}', stream);
	}
}

static void print_frames(struct numbers *numbers, const struct samples *samples)
{
	const struct model *model = numbers->export->model;

	for (size_t i = 0; i < samples->count; i++) {
		const struct model_stack *stack = &model->stacks[samples->list[i].stack];
		if (!stack->depth)
			print_frame(numbers, 0);
		for (uint32_t j = 0; j < stack->depth; j++)
			print_frame(numbers, stack->frames[j]);
	}
}

/* Outermost first; inlined functions inside of those they are inlined into. */
static void print_sample(const struct numbers *numbers, const struct model_stack *stack)
{
	static const uint32_t none;
	uint32_t depth = stack->depth ? stack->depth : 1;
	const uint32_t *frames = stack->depth ? stack->frames : &none;
	const char *separator = "[";

	for (uint32_t i = depth; i-- > 0;)
		for (unsigned level = export_levels(numbers->export->model, frames[i]);
		     level-- > 0;) {
			fprintf(numbers->export->stream, "%s%u", separator,
				numbers->first[frames[i]] - 1 + level);
			separator = ",";
		}
	putc(']', numbers->export->stream);
}

/* The samples from `from` on that are of one process. Returns where they end. */
static size_t print_profile(const struct numbers *numbers, const struct samples *samples,
			    size_t from)
{
	const struct export *export = numbers->export;
	const struct model_process *process =
		&export->model->processes[samples->list[from].process];
	uint64_t unit = export->bytes ? process->header.page_size : 1, sum = 0;
	size_t end = from;

	for (; end < samples->count && samples->list[end].process == samples->list[from].process;
	     end++)
		sum += samples->list[end].writes * unit;
	fputs(from ? ",\n{" : "\n{", export->stream);
	fputs("\"type\":\"sampled\",\"name\":", export->stream);
	export_json_quoted(export->stream, export_process_name(process));
	fprintf(export->stream,
		",\"unit\":\"%s\",\"startValue\":0,\"endValue\":%ju,\n\"samples\":[",
		export->bytes ? "bytes" : "none", (uintmax_t)sum);
	for (size_t i = from; i < end; i++) {
		fputs(i > from ? ",\n" : "\n", export->stream);
		print_sample(numbers, &export->model->stacks[samples->list[i].stack]);
	}
	fputs("],\n\"weights\":[", export->stream);
	for (size_t i = from; i < end; i++)
		fprintf(export->stream, "%s%ju", i > from ? "," : "",
			(uintmax_t)(samples->list[i].writes * unit));
	fputs("]}", export->stream);
	return end;
}

int export_speedscope(const struct export *export)
{
	struct samples samples;
	struct numbers numbers = {.export = export};
	bool collected = samples_collect(&samples, export->model, export->selection, false);

	numbers.first = calloc(export->model->frame_count, sizeof(*numbers.first));
	if (collected && numbers.first) {
		fputs("{\"$schema\":\"https://www.speedscope.app/file-format-schema.json\",\n"
		      "\"exporter\":\"cowspy " COWSPY_VERSION "\",\n"
		      "\"name\":\"first writes to private pages\",\n"
		      "\"activeProfileIndex\":0,\n\"shared\":{\"frames\":[",
		      export->stream);
		print_frames(&numbers, &samples);
		fputs("]},\n\"profiles\":[", export->stream);
		for (size_t i = 0; i < samples.count;)
			i = print_profile(&numbers, &samples, i);
		fputs("]}\n", export->stream);
	}
	collected = collected && numbers.first;
	free(numbers.first);
	samples_free(&samples);
	return collected ? 0 : -ENOMEM;
}
