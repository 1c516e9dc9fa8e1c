#include "report/trace_snapshot.h"

#include <stdatomic.h>

#include "base/sys.h"
#include "record/trace.h"
#include "track/fault.h"
#include "track/trace_regions.h"

_Static_assert(sizeof(struct page_run) == sizeof(struct trace_run), "runs are copied as they are");

#define RUNS_MOST \
	((TRACE_RECORD_MOST - sizeof(struct trace_snapshot_runs)) / sizeof(struct trace_run))

#define CHANGES_MOST \
	((TRACE_RECORD_MOST - sizeof(struct trace_changes)) / sizeof(struct trace_change))

_Static_assert(sizeof(struct page_change) == sizeof(struct trace_change), "likewise");

static _Atomic uint32_t last_number;

static void record_begin(const struct snapshot *snapshot, uint32_t number,
			 enum report_reason reason)
{
	static const enum trace_reason reasons[] = {
		[REPORT_SNAPSHOT] = TRACE_REASON_SNAPSHOT,
		[REPORT_EXIT] = TRACE_REASON_EXIT,
		[REPORT_EXEC] = TRACE_REASON_EXEC,
	};
	struct trace_snapshot fixed = {
		.snapshot = number,
		.reason = reasons[reason],
		.time = snapshot->time,
		.epoch = process_epoch,
		.error = (uint32_t)-snapshot->truth_error,
	};
	trace_file_append(TRACE_SNAPSHOT, &fixed, sizeof(fixed), NULL, 0);
}

static void record_runs(const struct snapshot *snapshot, const struct mapping *mapping,
			uint32_t number, uint32_t index)
{
	for (size_t done = 0; done < mapping->runs;) {
		size_t left = mapping->runs - done, count = left < RUNS_MOST ? left : RUNS_MOST;
		struct trace_snapshot_runs fixed = {
			.snapshot = number, .mapping = index, .count = (uint32_t)count};
		const struct trace_part part = {list_at(&snapshot->runs, mapping->run + done),
						count * sizeof(struct trace_run)};
		trace_file_append(TRACE_SNAPSHOT_RUNS, &fixed, sizeof(fixed), &part, 1);
		done += count;
	}
}

static void record_changes(const struct snapshot *snapshot, uint32_t number)
{
	for (size_t done = 0; done < snapshot->changes.count;) {
		size_t left = snapshot->changes.count - done;
		size_t count = left < CHANGES_MOST ? left : CHANGES_MOST;
		struct trace_changes fixed = {.snapshot = number, .count = (uint32_t)count};
		const struct trace_part part = {list_at(&snapshot->changes, done),
						count * sizeof(struct trace_change)};
		trace_file_append(TRACE_CHANGES, &fixed, sizeof(fixed), &part, 1);
		done += count;
	}
}

static void record_mapping(const struct snapshot *snapshot, const struct mapping *mapping,
			   uint32_t number, uint32_t index)
{
	static const uint8_t limits[UNTRACKED_REASONS] = {
		[UNTRACKED_STACK] = TRACE_LIMIT_STACK,
		[UNTRACKED_LIBRARY] = TRACE_LIMIT_LIBRARY,
		[UNTRACKED_UNSEEN] = TRACE_LIMIT_UNSEEN,
	};
	const struct region *region = &mapping->region;
	const struct trace_part path = {snapshot_path(snapshot, mapping), mapping->path_length};
	struct trace_snapshot_mapping fixed = {
		.head = sizeof(fixed),
		.snapshot = number,
		.start = region->start,
		.end = region->end,
		.protection = region->protection,
		.flags = trace_region_flags(region) | (mapping->tracked ? 0 : TRACE_UNTRACKED),
		.limit = mapping->tracked ? region->limit : limits[mapping->untracked],
		.path_length = (uint32_t)mapping->path_length,
		.copied = mapping->copied,
		.attributed = mapping->attributed,
		.zero = mapping->zero,
		.clean = mapping->clean,
		.resident = mapping->resident,
		.swapped = mapping->swapped,
		.index = index,
	};
	trace_file_append(TRACE_SNAPSHOT_MAPPING, &fixed, sizeof(fixed), &path, 1);
	record_runs(snapshot, mapping, number, index);
}

static void record_end(const struct snapshot *snapshot, uint32_t number)
{
	struct trace_snapshot_end fixed = {
		.snapshot = number,
		.flags = snapshot->incomplete ? TRACE_INCOMPLETE : 0,
		.copied = snapshot->copied,
		.attributed = snapshot->attributed,
		.reused = snapshot->reused,
		.ambiguous = snapshot->ambiguous,
		.events = snapshot->events,
	};
	for (unsigned i = 0; i < KINDS; i++)
		fixed.kinds[i] = snapshot->kinds[i];
	for (unsigned i = 0; i < CAUSES; i++)
		fixed.causes[i] = snapshot->causes[i];
	trace_file_append(TRACE_SNAPSHOT_END, &fixed, sizeof(fixed), NULL, 0);
}

uint32_t trace_snapshot(const struct snapshot *snapshot, enum report_reason reason)
{
	uint32_t number;
	sigmask_t mask;
	if (!trace_ready())
		return 0;
	trace_modules();
	sys_sigmask_block(&mask);
	number = atomic_fetch_add(&last_number, 1) + 1;
	record_begin(snapshot, number, reason);
	for (size_t i = 0; i < snapshot->mappings.count; i++)
		record_mapping(snapshot, snapshot_mapping(snapshot, i), number, (uint32_t)i);
	record_changes(snapshot, number);
	record_end(snapshot, number);
	sys_sigmask_restore(&mask);
	return number;
}

void trace_snapshot_cost(struct trace_cost *cost)
{
	sigmask_t mask;
	if (!cost->snapshot)
		return;
	sys_sigmask_block(&mask);
	trace_file_append(TRACE_COST, cost, sizeof(*cost), NULL, 0);
	sys_sigmask_restore(&mask);
}
