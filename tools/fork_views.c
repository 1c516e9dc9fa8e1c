#include "fork_views.h"

#include <stdlib.h>

#define SECOND 1000000000u

/* ---- which forks there are ---- */

static uint64_t time_of(const struct model_process *process)
{
	return process->header.fork_time ? process->header.fork_time : process->header.time;
}

static bool add(struct fork_views *views, const struct fork_view *view)
{
	if (!array_grow(&views->list, views->count, &views->capacity, sizeof(*views->list)))
		return false;
	views->list[views->count++] = *view;
	return true;
}

/* Forked children of a process, by the time of their fork. */
static bool know_children(struct table *children, const struct model *model, uint32_t parent)
{
	uint32_t at = model->processes[parent].first_child;
	bool done = true;

	for (; done && at != MODEL_NONE; at = model->processes[at].next_sibling)
		if (model->processes[at].origin == ORIGIN_FORK)
			done = table_set(children, time_of(&model->processes[at]), at);
	return done;
}

static bool add_forks(struct fork_views *views, const struct model *model, uint32_t index)
{
	const struct model_process *process = &model->processes[index];
	struct table children = {0};
	bool done = know_children(&children, model, index);

	for (size_t i = 0; done && i < process->fork_count; i++) {
		const struct model_fork *fork = &process->forks[i];
		uint32_t child = table_get(&children, fork->time);
		struct fork_view view = {
			.time = fork->time,
			.child = fork->child,
			.parent = {.process = index, .epoch = fork->epoch},
			.side = {.process = child},
		};
		if (child != MODEL_NONE)
			view.side.epoch = model->processes[child].header.epoch;
		done = add(views, &view);
	}
	table_free(&children);
	return done;
}

_Static_assert(TABLE_NONE == MODEL_NONE, "no child");

/* Its parent has no trace here, or did not live to record the fork. */
static bool is_alone(const struct model *model, const struct model_process *process)
{
	const struct model_process *parent;

	if (process->origin != ORIGIN_FORK)
		return false;
	if (process->parent == MODEL_NONE)
		return true;
	parent = &model->processes[process->parent];
	for (size_t i = 0; i < parent->fork_count; i++)
		if (parent->forks[i].time == time_of(process))
			return false;
	return true;
}

static bool add_alone(struct fork_views *views, const struct model *model, uint32_t index)
{
	const struct model_process *process = &model->processes[index];
	const struct fork_view view = {
		.time = time_of(process),
		.child = process->header.pid,
		.parent = {.process = MODEL_NONE},
		.side = {.process = index, .epoch = process->header.epoch},
	};
	return !is_alone(model, process) || add(views, &view);
}

/* ---- what came of them ---- */

struct counter {
	struct table sides; /* by process and epoch: 2 * index of the fork, + 1 for the child */
	struct fork_views *views;
	const struct model *model;
};

static uint64_t key_of(uint32_t process, uint32_t epoch)
{
	return (uint64_t)process << 32 | epoch;
}

static bool know_side(struct counter *counter, const struct fork_side *side, size_t number)
{
	return side->process == MODEL_NONE ||
	       table_set(&counter->sides, key_of(side->process, side->epoch), (uint32_t)number);
}

static void count(struct fork_side *side, const struct model_write *write, uint64_t since)
{
	bool copy = model_kind_is_copy(write->kind);
	side->copied += copy;
	side->in_second += copy && since < SECOND;
	side->in_minute += copy && since < 60ull * SECOND;
	side->shared += write->kind == TRACE_KIND_FORK;
	side->reuse += write->kind == TRACE_KIND_REUSE;
	side->fill += write->kind == TRACE_KIND_FILL;
}

static void count_process(struct counter *counter, const struct selection *selection,
			  uint32_t index)
{
	const struct model_process *process = &counter->model->processes[index];

	for (size_t i = 0; i < process->write_count; i++) {
		const struct model_write *write = &process->writes[i];
		uint32_t number = table_get(&counter->sides, key_of(index, write->epoch));
		struct fork_view *view;
		if (number == TABLE_NONE || !selection_takes(selection, process, write))
			continue;
		view = &counter->views->list[number / 2];
		count(number % 2 ? &view->side : &view->parent, write,
		      write->time > view->time ? write->time - view->time : 0);
	}
}

static int by_time(const void *left, const void *right)
{
	const struct fork_view *a = left, *b = right;
	return a->time < b->time ? -1 : a->time > b->time;
}

static bool count_all(struct fork_views *views, const struct model *model,
		      const struct selection *selection)
{
	struct counter counter = {.views = views, .model = model};
	bool done = true;

	for (size_t i = 0; done && i < views->count; i++)
		done = know_side(&counter, &views->list[i].parent, 2 * i) &&
		       know_side(&counter, &views->list[i].side, 2 * i + 1);
	for (uint32_t i = 0; done && i < model->process_count; i++)
		count_process(&counter, selection, i);
	table_free(&counter.sides);
	return done;
}

bool fork_views_collect(struct fork_views *views, struct model *model,
			const struct selection *selection)
{
	*views = (struct fork_views){0};
	for (uint32_t i = 0; i < model->process_count; i++)
		if (!add_forks(views, model, i) || !add_alone(views, model, i))
			return false;
	if (views->count)
		qsort(views->list, views->count, sizeof(*views->list), by_time);
	return count_all(views, model, selection);
}

static int by_copied(const void *left, const void *right)
{
	const struct fork_view *a = left, *b = right;
	uint64_t x = a->parent.copied + a->side.copied, y = b->parent.copied + b->side.copied;
	return x > y ? -1 : x < y ? 1 : by_time(left, right);
}

void fork_views_limit(struct fork_views *views, size_t most)
{
	if (views->count <= most)
		return;
	qsort(views->list, views->count, sizeof(*views->list), by_copied);
	views->count = most;
	qsort(views->list, views->count, sizeof(*views->list), by_time);
}

void fork_views_free(struct fork_views *views)
{
	free(views->list);
}
