/* Comma-separated values (RFC 4180), one line for each first write. */
#include "export.h"

#include "model_names.h"

static void print_string(FILE *stream, const char *untrusted)
{
	putc('"', stream);
	for (const char *at = export_escaped(untrusted); *at; at++) {
		if (*at == '"')
			putc('"', stream);
		putc(*at, stream);
	}
	putc('"', stream);
}

static void print_place(const struct export *export, uint32_t stack)
{
	struct model *model = export->model;
	const struct model_stack *of = &model->stacks[stack];
	uint32_t leaf = of->depth ? of->frames[0] : 0;
	const struct source_line *line = export_level_line(model, leaf, 0);
	const char *function = model_function(model, leaf);

	print_string(export->stream, function ? function : "");
	putc(',', export->stream);
	print_string(export->stream, model_module_name(model, model->frames[leaf].module));
	fprintf(export->stream, ",0x%jx,", (uintmax_t)model_address(model, leaf));
	print_string(export->stream, line->file ? line->file : "");
	fprintf(export->stream, ",%u", line->line);
}

static void print_write(const struct export *export, const struct model_process *process,
			const struct model_write *write)
{
	FILE *stream = export->stream;
	const char *region = process->mappings[write->mapping].name;

	fprintf(stream, "%ju.%09ju,%u,", (uintmax_t)(write->time / 1000000000),
		(uintmax_t)(write->time % 1000000000), process->header.pid);
	print_string(stream, model_process_name(process));
	fprintf(stream, ",%u,%s,%s,%s,", write->epoch,
		model_side_names[model_side(process, write->epoch)],
		model_kind_names[model_kind(write->kind)],
		model_cause_names[model_cause(write->cause)]);
	if (write->syscall)
		fprintf(stream, "%d", write->syscall - 1);
	fprintf(stream, ",%u,0x%jx,%u,", write->thread, (uintmax_t)write->page,
		process->header.page_size);
	print_string(stream, region ? region : "");
	fprintf(stream, ",%u,%u,", write->stack, write->flags & TRACE_STACK_UNCERTAIN);
	print_place(export, write->stack);
	fputs("\r\n", stream);
}

int export_csv(const struct export *export)
{
	const struct model *model = export->model;

	fputs("time,pid,program,epoch,side,kind,cause,syscall,thread,page,bytes,region,stack,"
	      "stack_uncertain,function,module,address,file,line\r\n",
	      export->stream);
	for (size_t i = 0; i < model->process_count; i++) {
		const struct model_process *process = &model->processes[model->order[i]];
		for (size_t j = 0; j < process->write_count; j++)
			if (selection_takes(export->selection, process, &process->writes[j]))
				print_write(export, process, &process->writes[j]);
	}
	return 0;
}
