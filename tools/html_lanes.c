#include "html_lanes.h"

#include <stdlib.h>

struct lane {
	uint64_t start, end;
	uint32_t epoch;
};

/* The first lane is that of the process's beginning, then one for each fork. */
static struct lane *find_lanes(const struct model_process *process, struct table *epochs)
{
	const struct trace_header *header = &process->header;
	struct lane *lanes = calloc(process->fork_count + 1, sizeof(*lanes));

	if (!lanes)
		return NULL;
	lanes[0].epoch = header->epoch;
	lanes[0].start = header->fork_time ? header->fork_time : header->time;
	for (size_t i = 0; i < process->fork_count; i++) {
		lanes[i + 1].epoch = process->forks[i].epoch;
		lanes[i + 1].start = process->forks[i].time;
		lanes[i].end = lanes[i + 1].start;
	}
	lanes[process->fork_count].end = process->last_time;
	for (size_t i = 0; i <= process->fork_count; i++) {
		if (lanes[i].end < lanes[i].start)
			lanes[i].end = lanes[i].start;
		if (!table_set(epochs, lanes[i].epoch, (uint32_t)i)) {
			free(lanes);
			return NULL;
		}
	}
	return lanes;
}

/* ---- first writes as numbers: lane, slice, copied; sorted ---- */

static uint64_t slice_of(const struct lane *lane, uint64_t time)
{
	uint64_t length = (lane->end - lane->start) / LANE_SLICES + 1;
	uint64_t slice = time > lane->start ? (time - lane->start) / length : 0;
	return slice < LANE_SLICES ? slice : LANE_SLICES - 1;
}

static int by_number(const void *left, const void *right)
{
	uint64_t a = *(const uint64_t *)left, b = *(const uint64_t *)right;
	return a < b ? -1 : a > b;
}

static uint64_t *sorted_writes(const struct model_process *process, const struct lane *lanes,
			       const struct table *epochs)
{
	uint64_t *numbers = calloc(process->write_count + 1, sizeof(*numbers));

	for (size_t i = 0; numbers && i < process->write_count; i++) {
		const struct model_write *write = &process->writes[i];
		uint32_t lane = table_get(epochs, write->epoch);
		if (lane == TABLE_NONE)
			lane = 0;
		numbers[i] = (uint64_t)lane << 32 | slice_of(&lanes[lane], write->time) << 1 |
			     model_kind_is_copy(write->kind);
	}
	if (numbers && process->write_count)
		qsort(numbers, process->write_count, sizeof(*numbers), by_number);
	return numbers;
}

/* Slices of one lane that have first writes: how far from the one before, copied, others. */
static void pack_lane(struct pack *pack, const struct lane *lane, uint64_t begin,
		      const uint64_t *numbers, size_t count)
{
	uint64_t last = 0, slices = 0;

	for (size_t i = 0; i < count; i++)
		slices += !i || numbers[i] >> 1 != numbers[i - 1] >> 1;
	pack_number(pack, lane->epoch);
	pack_number(pack, lane_time(lane->start, begin));
	pack_number(pack, (lane->end - lane->start) / 1000);
	pack_number(pack, slices);
	for (size_t from = 0, to; from < count; from = to) {
		uint64_t slice = (numbers[from] & UINT32_MAX) >> 1, copied = 0;
		for (to = from; to < count && numbers[to] >> 1 == numbers[from] >> 1; to++)
			copied += numbers[to] & 1;
		pack_number(pack, slice - last);
		pack_number(pack, copied);
		pack_number(pack, to - from - copied);
		last = slice;
	}
}

bool lanes_pack(struct pack *pack, const struct model_process *process, uint64_t begin)
{
	struct table epochs = {0};
	struct lane *lanes = find_lanes(process, &epochs);
	uint64_t *numbers = lanes ? sorted_writes(process, lanes, &epochs) : NULL;
	size_t count = 0;

	for (size_t i = 0; numbers && i < process->write_count; i++)
		count += !i || numbers[i] >> 32 != numbers[i - 1] >> 32;
	pack_number(pack, count);
	for (size_t from = 0, to; numbers && from < process->write_count; from = to) {
		for (to = from; to < process->write_count; to++)
			if (numbers[to] >> 32 != numbers[from] >> 32)
				break;
		pack_lane(pack, &lanes[numbers[from] >> 32], begin, numbers + from, to - from);
	}
	table_free(&epochs);
	free(lanes);
	free(numbers);
	return numbers != NULL;
}
