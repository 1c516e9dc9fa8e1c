/* Folded stacks, one a line: "process;outermost;...;innermost weight", as flame graph tools read. */
#include <errno.h>

#include "export.h"
#include "samples.h"

/* A semicolon would part the name. */
static void print_name(FILE *stream, const char *name)
{
	for (; *name; name++)
		putc(*name == ';' ? ':' : *name, stream);
}

static void print_stack(const struct export *export, const struct model_stack *stack)
{
	static const uint32_t none;
	uint32_t depth = stack->depth ? stack->depth : 1;
	const uint32_t *frames = stack->depth ? stack->frames : &none;

	for (uint32_t i = depth; i-- > 0;)
		for (unsigned level = export_levels(export->model, frames[i]); level-- > 0;) {
			putc(';', export->stream);
			print_name(export->stream,
				   export_level_name(export->model, frames[i], level));
		}
}

int export_folded(const struct export *export)
{
	struct model *model = export->model;
	struct samples samples;
	bool collected = samples_collect(&samples, model, export->selection, false);

	for (size_t i = 0; collected && i < samples.count; i++) {
		const struct sample *sample = &samples.list[i];
		const struct model_process *process = &model->processes[sample->process];
		uint64_t unit = export->bytes ? process->header.page_size : 1;
		print_name(export->stream, export_process_name(process));
		print_stack(export, &model->stacks[sample->stack]);
		fprintf(export->stream, " %ju\n", (uintmax_t)(sample->writes * unit));
	}
	samples_free(&samples);
	return collected ? 0 : -ENOMEM;
}
