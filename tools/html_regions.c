#include "html_regions.h"

#include <stdlib.h>

/* A first write, in the order of pages. */
struct event {
	uint64_t page, time;
	uint32_t write, region;
	bool latest;
};

static int by_page(const void *left, const void *right)
{
	const struct event *a = left, *b = right;
	if (a->page != b->page)
		return a->page < b->page ? -1 : 1;
	if (a->time != b->time)
		return a->time < b->time ? -1 : 1;
	return a->write < b->write ? -1 : a->write > b->write;
}

static struct event *sorted_events(const struct model_process *process)
{
	struct event *events = calloc(process->write_count + 1, sizeof(*events));

	for (size_t i = 0; events && i < process->write_count; i++)
		events[i] = (struct event){.page = process->writes[i].page,
					   .time = process->writes[i].time,
					   .write = (uint32_t)i};
	if (events && process->write_count)
		qsort(events, process->write_count, sizeof(*events), by_page);
	for (size_t i = 0; events && i < process->write_count; i++)
		events[i].latest = i + 1 == process->write_count ||
				   events[i + 1].page != events[i].page;
	return events;
}

/* ---- regions ---- */

static int by_start(const void *left, const void *right)
{
	const struct region *a = left, *b = right;
	return a->start < b->start ? -1 : a->start > b->start;
}

/* Mappings of the snapshot; those of a damaged one may overlap: the first wins. */
static struct region *mapped_regions(const struct model_snapshot *snapshot, size_t *count)
{
	size_t most = snapshot ? snapshot->mapping_count : 0, kept = 0;
	struct region *list = calloc(most + 1, sizeof(*list));

	for (size_t i = 0; list && i < most; i++) {
		const struct model_snapshot_mapping *mapping = &snapshot->mappings[i];
		list[i] = (struct region){.name = mapping->name,
					  .start = mapping->start,
					  .end = mapping->end,
					  .flags = mapping->flags,
					  .limit = mapping->limit,
					  .snapshot_mapping = (uint32_t)i};
	}
	if (list && most)
		qsort(list, most, sizeof(*list), by_start);
	for (size_t i = 0; list && i < most; i++)
		if (list[i].start < list[i].end && (!kept || list[kept - 1].end <= list[i].start))
			list[kept++] = list[i];
	*count = kept;
	return list;
}

static bool add_region(struct regions *regions, const struct region *region)
{
	if (!array_grow(&regions->list, regions->count, &regions->capacity, sizeof(*region)))
		return false;
	regions->list[regions->count++] = *region;
	return true;
}

/* What was mapped around an event, as far as it lies in [from, to). */
static struct region gone_region(const struct model_process *process, const struct event *event,
				 uint64_t from, uint64_t to)
{
	const struct model_mapping *mapping =
		&process->mappings[process->writes[event->write].mapping];
	uint64_t last = event->page + (process->header.page_size - 1);
	struct region region = {.name = mapping->name,
				.start = event->page,
				.end = last < event->page ? UINT64_MAX : last + 1,
				.flags = mapping->flags,
				.snapshot_mapping = MODEL_NONE};

	if (mapping->start <= event->page && event->page < mapping->end) {
		region.start = mapping->start > from ? mapping->start : from;
		region.end = mapping->end;
	}
	if (region.end > to)
		region.end = to;
	return region;
}

/* Snapshots know files; how its owner calls a mapping, first writes know. */
static void name_region(struct region *region, const struct model_mapping *mapping)
{
	if (!region->name)
		region->name = mapping->name;
}

/* One sweep over events and mappings: each event gets a region. */
static bool find_regions(struct regions *regions, const struct model_process *process,
			 const struct region *mapped, size_t mapped_count, struct event *events)
{
	size_t next = 0;
	uint64_t from = 0;

	for (size_t i = 0; i < process->write_count; i++) {
		while (next < mapped_count && mapped[next].start <= events[i].page) {
			from = mapped[next].end;
			if (!add_region(regions, &mapped[next++]))
				return false;
		}
		if (!regions->count || regions->list[regions->count - 1].end <= events[i].page) {
			uint64_t to = next < mapped_count ? mapped[next].start : UINT64_MAX;
			struct region gone = gone_region(process, &events[i], from, to);
			from = gone.end;
			if (!add_region(regions, &gone))
				return false;
		}
		events[i].region = (uint32_t)regions->count - 1;
		name_region(&regions->list[regions->count - 1],
			    &process->mappings[process->writes[events[i].write].mapping]);
	}
	while (next < mapped_count)
		if (!add_region(regions, &mapped[next++]))
			return false;
	return true;
}

/* ---- runs ---- */

static bool continues(const struct region_run *run, const struct region_run *next, uint64_t quantum)
{
	return run->start + run->pages == next->start && run->stack == next->stack &&
	       run->kind == next->kind && run->cause == next->cause && run->epoch == next->epoch &&
	       run->time / quantum == next->time / quantum;
}

/* Events [from, to) of one region that are the latest of their pages, or that are not. */
static bool add_runs(struct regions *regions, const struct model_process *process,
		     const struct event *events, size_t from, size_t to, bool latest,
		     uint64_t quantum)
{
	size_t first = regions->run_count;

	for (size_t i = from; i < to; i++) {
		const struct model_write *write = &process->writes[events[i].write];
		const struct region *region = &regions->list[events[i].region];
		const struct region_run run = {
			.start = (write->page - region->start) / process->header.page_size,
			.pages = 1,
			.time = write->time,
			.region = events[i].region,
			.stack = write->stack,
			.epoch = write->epoch,
			.kind = (uint8_t)model_kind(write->kind),
			.cause = (uint8_t)model_cause(write->cause),
			.latest = latest,
		};
		if (events[i].latest != latest)
			continue;
		if (regions->run_count > first &&
		    continues(&regions->runs[regions->run_count - 1], &run, quantum)) {
			regions->runs[regions->run_count - 1].pages++;
			continue;
		}
		if (!array_grow(&regions->runs, regions->run_count, &regions->run_capacity,
				sizeof(run)))
			return false;
		regions->runs[regions->run_count++] = run;
	}
	return true;
}

static bool find_runs(struct regions *regions, const struct model_process *process,
		      const struct event *events, uint64_t quantum)
{
	for (size_t from = 0, to; from < process->write_count; from = to) {
		for (to = from; to < process->write_count; to++)
			if (events[to].region != events[from].region)
				break;
		if (!add_runs(regions, process, events, from, to, true, quantum) ||
		    !add_runs(regions, process, events, from, to, false, quantum))
			return false;
	}
	return true;
}

bool regions_collect(struct regions *regions, const struct model_process *process, uint64_t quantum)
{
	size_t mapped_count = 0;
	struct region *mapped = mapped_regions(model_last_snapshot(process), &mapped_count);
	struct event *events = sorted_events(process);
	bool done;

	*regions = (struct regions){0};
	done = mapped && events && find_regions(regions, process, mapped, mapped_count, events) &&
	       find_runs(regions, process, events, quantum ? quantum : 1);
	free(mapped);
	free(events);
	return done;
}

void regions_free(struct regions *regions)
{
	free(regions->list);
	free(regions->runs);
}
