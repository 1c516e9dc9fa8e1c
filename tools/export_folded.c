/* Folded stacks, one a line: "process;outermost;...;innermost weight", as flame graph tools read. */
#include <errno.h>
#include <stdlib.h>

#include "export.h"
#include "samples.h"

/* A semicolon would part the name. */
static void print_name(FILE *stream, const char *name)
{
	for (; *name; name++)
		putc(*name == ';' ? ':' : *name, stream);
}

static void print_stack(FILE *stream, struct model *model, const struct model_stack *stack)
{
	static const uint32_t none;
	uint32_t depth = stack->depth ? stack->depth : 1;
	const uint32_t *frames = stack->depth ? stack->frames : &none;

	for (uint32_t i = depth; i-- > 0;)
		for (unsigned level = export_levels(model, frames[i]); level-- > 0;) {
			putc(';', stream);
			print_name(stream, export_level_name(model, frames[i], level));
		}
}

/* Stacks that differ in addresses only have one line together. */
struct lines {
	const char **list;
	uint64_t *weights;
	size_t count, capacity, weight_capacity;
	struct table index;
};

static bool add_line(struct lines *lines, struct model *model, const char *line, uint64_t weight)
{
	const char *kept = intern_string(&model->strings, line);
	uint32_t index = kept ? table_get(&lines->index, (uintptr_t)kept) : TABLE_NONE;

	if (index == TABLE_NONE) {
		index = (uint32_t)lines->count;
		if (!kept ||
		    !array_grow(&lines->list, lines->count, &lines->capacity, sizeof(char *)) ||
		    !array_grow(&lines->weights, lines->count, &lines->weight_capacity,
				sizeof(uint64_t)) ||
		    !table_set(&lines->index, (uintptr_t)kept, index))
			return false;
		lines->list[lines->count] = kept;
		lines->weights[lines->count++] = 0;
	}
	lines->weights[index] += weight;
	return true;
}

static bool fold(const struct export *export, const struct samples *samples, struct lines *lines)
{
	struct model *model = export->model;
	char *line = NULL;
	size_t length;
	FILE *memory = open_memstream(&line, &length);
	bool done = memory != NULL;

	for (size_t i = 0; done && i < samples->count; i++) {
		const struct sample *sample = &samples->list[i];
		const struct model_process *process = &model->processes[sample->process];
		rewind(memory);
		print_name(memory, export_process_name(process));
		print_stack(memory, model, &model->stacks[sample->stack]);
		putc(0, memory);
		done = fflush(memory) == 0 &&
		       add_line(lines, model, line,
				sample->writes * (export->bytes ? process->header.page_size : 1));
	}
	if (memory)
		fclose(memory);
	free(line);
	return done;
}

int export_folded(const struct export *export)
{
	struct lines lines = {0};
	struct samples samples;
	bool done = samples_collect(&samples, export->model, export->selection, false) &&
		    fold(export, &samples, &lines);

	for (size_t i = 0; done && i < lines.count; i++)
		fprintf(export->stream, "%s %ju\n", lines.list[i], (uintmax_t)lines.weights[i]);
	free(lines.list);
	free(lines.weights);
	table_free(&lines.index);
	samples_free(&samples);
	return done ? 0 : -ENOMEM;
}
