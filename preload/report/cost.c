/* What watching has taken: the numbers, and the section of the report that shows them. */
#include "report/cost.h"

#include "base/memory.h"
#include "base/sys.h"
#include "observe/truth.h"
#include "report/parts.h"
#include "track/budget.h"
#include "track/fault_cost.h"
#include "track/guard.h"
#include "track/handover.h"

static void add_resident(uintptr_t start, uintptr_t end, page_flags_t flags, void *context)
{
	uint64_t *bytes = context;
	if (flags & PAGE_PRESENT)
		*bytes += end - start;
}

static void take_resident(struct trace_cost *cost)
{
	uintptr_t start, end;
	for (unsigned next = 0; memory_ours(&next, &start, &end);)
		if (truth_runs(start, end, add_resident, &cost->resident))
			cost->flags |= TRACE_RESIDENT_UNKNOWN;
}

struct trace_cost cost_now(void)
{
	struct fault_cost_sum faults = fault_cost_sum();
	struct trace_cost cost = {
		.faults = faults.faults,
		.timed = faults.timed,
		.handler_time = faults.time,
		.mprotect = guard_calls(),
		.handed = handover_pages(),
		.address_space = memory_used(),
	};
	cost.vmas = budget_vmas(&cost.vmas_most);
	take_resident(&cost);
	return cost;
}

static void handler(struct text *text, const struct trace_cost *cost)
{
	if (!cost->faults)
		return;
	text_string(text, "  fault handler: ");
	text_duration(text, cost->handler_time);
	text_string(text, " of CPU time for ");
	report_grouped(text, cost->faults);
	text_string(text, cost->faults == 1 ? " fault" : " faults");
	if (cost->timed < cost->faults) {
		text_string(text, ", by ");
		report_grouped(text, cost->timed);
		text_string(text, " that were timed");
	}
	text_string(text, "; the kernel's part of each signal comes on top\n");
}

static void protection(struct text *text, const struct snapshot *snapshot,
		       const struct trace_cost *cost)
{
	text_string(text, "  first writes recorded: ");
	report_grouped(text, snapshot->events);
	text_string(text, "; mprotect calls: ");
	report_grouped(text, cost->mprotect);
	if (cost->handed) {
		text_string(text, "; pages handed over to userfaultfd: ");
		report_grouped(text, cost->handed);
	}
	text_string(text, "\n  VMAs added: ");
	report_grouped(text, cost->vmas);
	text_string(text, " now, ");
	report_grouped(text, cost->vmas_most);
	text_string(text, " at most\n");
}

static void memory(struct text *text, const struct trace_cost *cost)
{
	text_string(text, "  cowspy's memory: ");
	text_size(text, cost->address_space);
	text_string(text, " of address space");
	if (!(cost->flags & TRACE_RESIDENT_UNKNOWN)) {
		text_string(text, ", ");
		text_size(text, cost->resident);
		text_string(text, " resident");
	}
	text_string(text, "; this report's not included\n");
}

/* The last line tells that a report is complete. */
void report_cost(struct report *report)
{
	struct text *text = &report->text;

	text_string(text, "\ncost\n");
	handler(text, report->cost);
	protection(text, report->snapshot, report->cost);
	memory(text, report->cost);
	text_string(text, "  this report took ");
	text_duration(text, sys_now() - report->snapshot->time);
	text_character(text, '\n');
}
