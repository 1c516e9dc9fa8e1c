#include "live.h"

#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "model_names.h"
#include "output.h"

#define DEFAULT_ROWS 10
#define LINES_BESIDE_ROWS 3 /* of each part: an empty line, the title, what is left out */
#define FRAMES_MOST 12

static const struct {
	enum group_by by;
	const char *title;
} parts[LIVE_PARTS] = {
	[LIVE_PROCESSES] = {BY_PROCESS, "process"},
	[LIVE_MAPPINGS] = {BY_MAPPING, "mapping"},
	[LIVE_STACKS] = {BY_STACK, "stack of the first write"},
};

/* ---- reading ---- */

void live_start(struct live *live, const char *path)
{
	*live = (struct live){.path = path, .shown = (1u << LIVE_PARTS) - 1};
	model_start(&live->model);
}

static void free_groups(struct live *live)
{
	for (int part = 0; part < LIVE_PARTS; part++) {
		groups_free(&live->totals[part].groups);
		groups_free(&live->recent[part].groups);
	}
	memset(live->totals, 0, sizeof(live->totals));
	memset(live->recent, 0, sizeof(live->recent));
}

void live_free(struct live *live)
{
	free_groups(live);
	model_free(&live->model);
}

/* Rates of a program that ended are those of its whole run. */
static void find_now(struct live *live)
{
	struct timespec time;
	uint64_t begin = UINT64_MAX, last = 0;

	clock_gettime(CLOCK_MONOTONIC, &time);
	live->now = (uint64_t)time.tv_sec * 1000000000 + (uint64_t)time.tv_nsec;
	for (size_t i = 0; i < live->model.process_count; i++) {
		const struct model_process *process = &live->model.processes[i];
		if (process->header.time < begin)
			begin = process->header.time;
		if (process->last_time > last)
			last = process->last_time;
	}
	if (!live_runs(live)) {
		live->now = last;
		live->measured = last > begin ? last - begin : 0;
		return;
	}
	live->measured = live->now > begin ? live->now - begin : 0;
	if (live->measured > live->window)
		live->measured = live->window;
}

int live_count(struct live *live)
{
	struct selection selection;
	bool done = true;

	free_groups(live);
	selection_start(&selection);
	selection.last_epoch = !live->from_start;
	for (int part = 0; part < LIVE_PARTS && done; part++) {
		struct report *total = &live->totals[part], *recent = &live->recent[part];
		total->model = recent->model = &live->model;
		selection.since = 0;
		done = groups_collect(&total->groups, &live->model, &selection, parts[part].by);
		selection.since = live->now - live->measured;
		done = done &&
		       groups_collect(&recent->groups, &live->model, &selection, parts[part].by);
	}
	return done ? 0 : -ENOMEM;
}

int live_read(struct live *live)
{
	int error;

	model_restart(&live->model);
	error = model_add(&live->model, live->path);
	if (!error)
		error = model_link(&live->model);
	if (error)
		return error;
	find_now(live);
	return live_count(live);
}

bool live_runs(const struct live *live)
{
	for (size_t i = 0; i < live->model.process_count; i++) {
		const struct model_process *process = &live->model.processes[i];
		if (!process->closed && kill((pid_t)process->header.pid, 0) == 0)
			return true;
	}
	return false;
}

/* ---- printing ---- */

static uint64_t rate(const struct live *live, uint64_t bytes)
{
	return live->measured ? (uint64_t)((double)bytes * 1e9 / (double)live->measured) : 0;
}

static uint64_t bytes_of(const struct live *live, const struct group *group, unsigned kind)
{
	const struct model_process *process = &live->model.processes[group->process];
	return group->kinds[kind] * process->header.page_size;
}

static void print_head(const struct live *live, struct text *text)
{
	const struct group *total = &live->totals[0].groups.total;
	const struct group *recent = &live->recent[0].groups.total;

	text_string(text, "cowspy top  ");
	text_size(text, total->copied_bytes);
	text_string(text, live->from_start ? " copied, " : " copied since the last fork, ");
	text_size(text, rate(live, recent->copied_bytes));
	text_string(text, "/s; touched first ");
	text_size(text, bytes_of(live, total, TRACE_KIND_FILL));
	text_string(text, ", written in place ");
	text_size(text, bytes_of(live, total, TRACE_KIND_REUSE));
	text_character(text, '\n');
}

static void print_forks(const struct live *live, struct text *text)
{
	size_t running = 0;
	uint64_t last = 0, forks = 0;

	for (size_t i = 0; i < live->model.process_count; i++) {
		const struct model_process *process = &live->model.processes[i];
		running += !process->closed;
		forks += process->fork_count;
		for (size_t j = 0; j < process->fork_count; j++)
			if (process->forks[j].time > last)
				last = process->forks[j].time;
	}
	text_string(text, "            ");
	text_decimal(text, live->model.process_count);
	text_string(text, live->model.process_count == 1 ? " process, " : " processes, ");
	if (live_runs(live)) {
		text_decimal(text, running);
		text_string(text, " running; ");
	} else {
		text_string(text, "all ended; ");
	}
	text_decimal(text, forks);
	text_string(text, forks == 1 ? " fork" : " forks");
	if (forks) {
		text_string(text, ", the last ");
		text_duration(text, live->now > last ? live->now - last : 0);
		text_string(text, " ago");
	}
	text_string(text, "; rates over ");
	text_duration(text, live->measured);
	text_character(text, '\n');
}

struct row {
	const struct group *total, *recent;
};

static int by_rate(const void *left, const void *right)
{
	const struct row *a = left, *b = right;
	if (a->recent->copied_bytes != b->recent->copied_bytes)
		return a->recent->copied_bytes > b->recent->copied_bytes ? -1 : 1;
	if (a->total->copied_bytes != b->total->copied_bytes)
		return a->total->copied_bytes > b->total->copied_bytes ? -1 : 1;
	if (a->total->bytes != b->total->bytes)
		return a->total->bytes > b->total->bytes ? -1 : 1;
	return a->total->key < b->total->key ? -1 : a->total->key > b->total->key;
}

/* NULL without memory. To be freed. */
static struct row *rows_of(const struct groups *totals, const struct groups *recent)
{
	static const struct group none;
	struct row *rows = calloc(totals->count + 1, sizeof(*rows));
	struct table places = {0}; /* of keys in recent, which is sorted by now */

	for (size_t i = 0; i < recent->count; i++)
		table_set(&places, recent->list[i].key, (uint32_t)i);
	for (size_t i = 0; rows && i < totals->count; i++) {
		uint32_t index = table_get(&places, totals->list[i].key);
		rows[i].total = &totals->list[i];
		rows[i].recent = index == TABLE_NONE ? &none : &recent->list[index];
	}
	table_free(&places);
	if (rows)
		qsort(rows, totals->count, sizeof(*rows), by_rate);
	return rows;
}

/* Without its module: a line has room for few frames. */
static void print_function(struct model *model, uint32_t frame, struct text *text)
{
	const char *function = model_function(model, frame);
	if (function)
		output_string(text, function);
	else
		report_function(model, frame, text);
}

static void print_stack(struct model *model, uint32_t index, struct text *text)
{
	const struct model_stack *stack = &model->stacks[index];

	if (!stack->depth)
		text_string(text, "[no stack]");
	for (uint32_t i = 0; i < stack->depth && i < FRAMES_MOST; i++) {
		if (i)
			text_string(text, " < ");
		print_function(model, stack->frames[i], text);
	}
}

static void print_row(struct live *live, enum live_part part, const struct row *row,
		      struct text *text)
{
	const struct report *report = &live->totals[part];

	text_size_right(text, row->total->copied_bytes, 11);
	text_size_right(text, rate(live, row->recent->copied_bytes), 12);
	text_size_right(text, bytes_of(live, row->total, TRACE_KIND_FILL), 13);
	text_size_right(text, bytes_of(live, row->total, TRACE_KIND_REUSE), 12);
	text_string(text, "  ");
	if (part == LIVE_STACKS)
		print_stack(&live->model, row->total->stack, text);
	else
		report_group_name(report, row->total, text);
	if (part == LIVE_PROCESSES && live->model.processes[row->total->process].closed)
		text_string(text, ", ended");
	text_character(text, '\n');
}

static void print_part(struct live *live, enum live_part part, unsigned most, struct text *text)
{
	const struct groups *totals = &live->totals[part].groups;
	struct row *rows = rows_of(totals, &live->recent[part].groups);
	size_t shown = totals->count < most ? totals->count : most;

	text_string(text, "\n     copied    copied/s   first touch    in place  ");
	text_string(text, parts[part].title);
	text_character(text, '\n');
	for (size_t i = 0; rows && i < shown; i++)
		print_row(live, part, &rows[i], text);
	if (shown < totals->count) {
		text_string(text, "        ... ");
		text_decimal(text, totals->count - shown);
		text_string(text, " more\n");
	}
	free(rows);
}

/* Stacks get what the others leave. */
void live_print(struct live *live, struct text *text, unsigned lines)
{
	unsigned count = (unsigned)__builtin_popcount(live->shown);
	unsigned left = lines > 2 ? lines - 2 : 0;

	print_head(live, text);
	print_forks(live, text);
	for (int part = 0; part < LIVE_PARTS; part++) {
		size_t wanted = live->totals[part].groups.count;
		unsigned rows, share = count ? left / count : 0;
		if (!(live->shown & 1u << part))
			continue;
		rows = !lines                      ? DEFAULT_ROWS
		       : share > LINES_BESIDE_ROWS ? share - LINES_BESIDE_ROWS
						   : 1;
		if (wanted < rows)
			rows = (unsigned)wanted;
		print_part(live, (enum live_part)part, rows, text);
		left = left > rows + LINES_BESIDE_ROWS ? left - rows - LINES_BESIDE_ROWS : 0;
		count--;
	}
}
