/* Snapshots of the model. */
#include <stdlib.h>
#include <string.h>

#include "model_read.h"

#define LETTERS ".fzCsirSH?"

static struct model_snapshot *find(struct model_snapshots *snapshots, uint32_t number)
{
	uint32_t index = table_get(&snapshots->numbers, number);
	return index == TABLE_NONE ? NULL : &snapshots->process->snapshots[index];
}

bool snapshots_begin(struct model_snapshots *snapshots, const struct trace_snapshot *record)
{
	struct model_process *process = snapshots->process;

	if (!array_grow(&process->snapshots, process->snapshot_count, &process->snapshot_capacity,
			sizeof(*process->snapshots)))
		return false;
	process->snapshots[process->snapshot_count] = (struct model_snapshot){
		.number = record->snapshot,
		.reason = record->reason,
		.epoch = record->epoch,
		.error = record->error,
		.time = record->time,
	};
	return table_set(&snapshots->numbers, record->snapshot,
			 (uint32_t)process->snapshot_count++);
}

bool snapshots_mapping(struct model_snapshots *snapshots,
		       const struct trace_snapshot_mapping *record)
{
	struct model_snapshot *snapshot = find(snapshots, record->snapshot);
	struct model_snapshot_mapping mapping = {
		.start = record->start,
		.end = record->end,
		.protection = record->protection,
		.flags = record->flags,
		.limit = record->limit,
		.index = record->index,
		.copied = record->copied,
		.attributed = record->attributed,
		.zero = record->zero,
		.clean = record->clean,
		.resident = record->resident,
		.swapped = record->swapped,
	};

	if (!snapshot)
		return true;
	if (record->path_length)
		mapping.name = intern_bytes(snapshots->strings, trace_tail(record, record->head, 0),
					    record->path_length);
	if ((record->path_length && !mapping.name) ||
	    !array_grow(&snapshot->mappings, snapshot->mapping_count, &snapshot->mapping_capacity,
			sizeof(mapping)))
		return false;
	snapshot->mappings[snapshot->mapping_count++] = mapping;
	return true;
}

bool snapshots_runs(struct model_snapshots *snapshots, const struct trace_snapshot_runs *record)
{
	struct model_snapshot *snapshot = find(snapshots, record->snapshot);

	for (uint32_t i = 0; snapshot && i < record->count; i++) {
		const struct trace_run *run = &record->runs[i];
		char letter = TRACE_RUN_LETTER(run);
		if (!array_grow(&snapshot->runs, snapshot->run_count, &snapshot->run_capacity,
				sizeof(*snapshot->runs)))
			return false;
		snapshot->runs[snapshot->run_count++] = (struct model_run){
			.mapping = record->mapping,
			.letter = letter && strchr(LETTERS, letter) ? letter : '?',
			.start = run->start,
			.pages = TRACE_RUN_PAGES(run),
		};
	}
	return true;
}

bool snapshots_end(struct model_snapshots *snapshots, const struct trace_snapshot_end *record)
{
	struct model_snapshot *snapshot = find(snapshots, record->snapshot);
	if (snapshot) {
		snapshot->complete = true;
		snapshot->totals = *record;
	}
	return true;
}

bool snapshots_cost(struct model_snapshots *snapshots, const struct trace_cost *record)
{
	struct model_snapshot *snapshot = find(snapshots, record->snapshot);
	if (snapshot)
		snapshot->cost = *record;
	return true;
}

/* ---- the end of a file ---- */

static int by_index(const void *left, const void *right)
{
	const struct model_snapshot_mapping *a = left, *b = right;
	return a->index < b->index ? -1 : a->index > b->index;
}

static int by_place(const void *left, const void *right)
{
	const struct model_run *a = left, *b = right;
	if (a->mapping != b->mapping)
		return a->mapping < b->mapping ? -1 : 1;
	return a->start < b->start ? -1 : a->start > b->start;
}

/* Both are in the order of mappings. */
static void drop_runs_outside(struct model_snapshot *snapshot, uint32_t page_size)
{
	size_t kept = 0, at = 0;
	uint64_t free_from = 0;

	for (size_t i = 0; i < snapshot->run_count; i++) {
		const struct model_run run = snapshot->runs[i];
		const struct model_snapshot_mapping *mapping;
		size_t before = at;
		while (at < snapshot->mapping_count && snapshot->mappings[at].index < run.mapping)
			at++;
		if (at == snapshot->mapping_count)
			break;
		mapping = &snapshot->mappings[at];
		if (at != before || !i)
			free_from = mapping->start;
		if (mapping->index != run.mapping || !run.pages || run.start < free_from ||
		    run.start >= mapping->end || (run.start - mapping->start) % page_size ||
		    run.pages > (mapping->end - run.start) / page_size)
			continue;
		free_from = run.start + run.pages * page_size;
		snapshot->runs[kept++] = run;
	}
	snapshot->run_count = kept;
}

void snapshots_finish(struct model_snapshots *snapshots)
{
	struct model_process *process = snapshots->process;

	for (size_t i = 0; i < process->snapshot_count; i++) {
		struct model_snapshot *snapshot = &process->snapshots[i];
		if (snapshot->mapping_count)
			qsort(snapshot->mappings, snapshot->mapping_count,
			      sizeof(*snapshot->mappings), by_index);
		if (snapshot->run_count)
			qsort(snapshot->runs, snapshot->run_count, sizeof(*snapshot->runs),
			      by_place);
		drop_runs_outside(snapshot, process->header.page_size);
	}
	table_free(&snapshots->numbers);
}
