/* Totals by process as OpenMetrics, for a node exporter's folder of text files. */
#include "export.h"

struct totals {
	uint64_t pages[MODEL_KINDS][SIDES];
};

static void print_labels(const struct export *export, const struct model_process *process)
{
	FILE *stream = export->stream;
	fputs("{program=", stream);
	export_json_string(stream, model_process_name(process)); /* the same quotes and escapes */
	fprintf(stream, ",pid=\"%u\",epoch=\"%u\"", process->header.pid, process->header.epoch);
}

static void count(const struct export *export, const struct model_process *process,
		  struct totals *totals)
{
	*totals = (struct totals){0};
	for (size_t i = 0; i < process->write_count; i++) {
		const struct model_write *write = &process->writes[i];
		if (selection_takes(export->selection, process, write))
			totals->pages[model_kind(write->kind)][model_side(process, write->epoch)]++;
	}
}

static void print_writes(const struct export *export, const struct model_process *process)
{
	struct totals totals;
	count(export, process, &totals);
	for (unsigned kind = 0; kind < MODEL_KINDS; kind++)
		for (unsigned side = 0; side < SIDES; side++) {
			if (!totals.pages[kind][side])
				continue;
			fputs("cowspy_first_writes_bytes_total", export->stream);
			print_labels(export, process);
			fprintf(export->stream, ",kind=\"%s\",side=\"%s\"} %ju\n",
				model_kind_names[kind], model_side_names[side],
				(uintmax_t)(totals.pages[kind][side] * process->header.page_size));
		}
}

static void print_snapshot(const struct export *export, const struct model_process *process)
{
	const struct model_snapshot *snapshot = model_last_snapshot(process);
	uint64_t copied, attributed;

	if (!snapshot)
		return;
	copied = snapshot->totals.copied;
	attributed = snapshot->totals.attributed;
	for (int i = 0; i < 2; i++) {
		uint64_t rest = copied > attributed ? copied - attributed : 0;
		fputs("cowspy_copied_bytes", export->stream);
		print_labels(export, process);
		fprintf(export->stream, ",attributed=\"%s\"} %ju\n", i ? "no" : "yes",
			(uintmax_t)((i ? rest : attributed) * process->header.page_size));
	}
}

static void print_lost(const struct export *export, const struct model_process *process)
{
	fputs("cowspy_lost_first_writes_total", export->stream);
	print_labels(export, process);
	fprintf(export->stream, "} %ju\n",
		(uintmax_t)(process->loss_count ? process->losses[process->loss_count - 1].count
						: 0));
}

static void print_family(const struct export *export, const char *head,
			 void (*print)(const struct export *, const struct model_process *))
{
	const struct model *model = export->model;
	fputs(head, export->stream);
	for (size_t i = 0; i < model->process_count; i++)
		print(export, &model->processes[model->order[i]]);
}

int export_openmetrics(const struct export *export)
{
	print_family(export,
		     "# TYPE cowspy_first_writes_bytes counter\n"
		     "# UNIT cowspy_first_writes_bytes bytes\n"
		     "# HELP cowspy_first_writes_bytes Pages of private mappings written first.\n",
		     print_writes);
	print_family(
		export,
		"# TYPE cowspy_copied_bytes gauge\n"
		"# UNIT cowspy_copied_bytes bytes\n"
		"# HELP cowspy_copied_bytes Copied pages at the last snapshot, by the kernel.\n",
		print_snapshot);
	print_family(export,
		     "# TYPE cowspy_lost_first_writes counter\n"
		     "# HELP cowspy_lost_first_writes First writes that could not be recorded.\n",
		     print_lost);
	fputs("# EOF\n", export->stream);
	return 0;
}
