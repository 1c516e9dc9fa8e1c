/* What watching has taken, by the last snapshots of the processes. */
#include "output.h"
#include "report.h"

static const struct trace_cost *cost_of(const struct model_process *process)
{
	const struct model_snapshot *snapshot = model_last_snapshot(process);
	return snapshot && snapshot->cost.record.type ? &snapshot->cost : NULL;
}

struct cost_sums {
	struct trace_cost sum;
	uint64_t processes;
	uint64_t events;
};

static void add(struct cost_sums *sums, const struct trace_cost *cost, uint64_t events)
{
	struct trace_cost *sum = &sums->sum;
	sums->processes++;
	sums->events += events;
	sum->flags |= cost->flags;
	sum->faults += cost->faults;
	sum->timed += cost->timed;
	sum->handler_time += cost->handler_time;
	sum->mprotect += cost->mprotect;
	sum->handed += cost->handed;
	sum->vmas += cost->vmas;
	sum->vmas_most += cost->vmas_most;
	sum->address_space += cost->address_space;
	sum->resident += cost->resident;
	sum->report_time += cost->report_time;
}

static struct cost_sums collect(const struct report *report)
{
	const struct model *model = report->model;
	int64_t pid = report->options->common.selection.pid;
	struct cost_sums sums = {0};

	for (size_t i = 0; i < model->process_count; i++) {
		const struct model_process *process = &model->processes[i];
		const struct trace_cost *cost = cost_of(process);
		if (cost && (pid < 0 || process->header.pid == pid))
			add(&sums, cost, model_last_snapshot(process)->totals.events);
	}
	return sums;
}

static void print_handler(const struct trace_cost *sum, struct text *text)
{
	if (!sum->faults)
		return;
	text_string(text, "  fault handler: ");
	text_duration(text, sum->handler_time);
	text_string(text, " of CPU time for ");
	text_decimal(text, sum->faults);
	text_string(text, sum->faults == 1 ? " fault" : " faults");
	if (sum->timed < sum->faults) {
		text_string(text, ", by ");
		text_decimal(text, sum->timed);
		text_string(text, " that were timed");
	}
	text_string(text, "; the kernel's part of each signal comes on top\n");
}

static void print_protection(const struct cost_sums *sums, struct text *text)
{
	text_string(text, "  first writes recorded: ");
	text_decimal(text, sums->events);
	text_string(text, "; mprotect calls: ");
	text_decimal(text, sums->sum.mprotect);
	if (sums->sum.handed) {
		text_string(text, "; pages handed over to userfaultfd: ");
		text_decimal(text, sums->sum.handed);
	}
	text_string(text, "\n  VMAs added: ");
	text_decimal(text, sums->sum.vmas);
	text_string(text, ", ");
	text_decimal(text, sums->sum.vmas_most);
	text_string(text, " at most\n");
}

static void print_memory(const struct cost_sums *sums, struct text *text)
{
	text_string(text, "  cowspy's memory: ");
	text_size(text, sums->sum.address_space);
	text_string(text, " of address space");
	if (!(sums->sum.flags & TRACE_RESIDENT_UNKNOWN)) {
		text_string(text, ", ");
		text_size(text, sums->sum.resident);
		text_string(text, " resident");
	}
	text_string(text, sums->processes > 1
				  ? "; what processes share since a fork counts in each\n"
				  : "\n");
}

void report_print_cost(const struct report *report, struct text *text)
{
	const struct cost_sums sums = collect(report);

	if (!sums.processes)
		return;
	text_string(text, "\ncost, up to the last ");
	text_string(text, sums.processes == 1 ? "snapshot" : "snapshots of ");
	if (sums.processes > 1) {
		text_decimal(text, sums.processes);
		text_string(text, " processes, in all");
	}
	text_character(text, '\n');
	print_handler(&sums.sum, text);
	print_protection(&sums, text);
	print_memory(&sums, text);
	text_string(text, sums.processes == 1 ? "  its report took " : "  their reports took ");
	text_duration(text, sums.sum.report_time);
	text_character(text, '\n');
}

struct json_object *report_json_cost(const struct model_process *process)
{
	const struct trace_cost *cost = cost_of(process);
	struct json_object *object;

	if (!cost)
		return NULL;
	object = json_object_new_object();
	json_add_number(object, "faults", cost->faults);
	json_add_number(object, "faults_timed", cost->timed);
	json_add_number(object, "handler_nanoseconds", cost->handler_time);
	json_add_number(object, "mprotect_calls", cost->mprotect);
	json_add_number(object, "pages_handed_over", cost->handed);
	json_add_number(object, "vmas_added", cost->vmas);
	json_add_number(object, "vmas_added_most", cost->vmas_most);
	json_add_number(object, "address_space_bytes", cost->address_space);
	if (!(cost->flags & TRACE_RESIDENT_UNKNOWN))
		json_add_number(object, "resident_bytes", cost->resident);
	json_add_number(object, "report_nanoseconds", cost->report_time);
	return object;
}
