/* The tree of processes. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "model.h"

/*
 * A process image is named by its pid and the time of its beginning: pids are used again. A parent
 * has always begun before its child, so that no file can make a circle.
 */
struct place {
	uint32_t pid, index;
	uint64_t time;
};

struct places {
	struct place *list; /* by pid, then time */
	size_t count;
};

static int by_pid_and_time(const void *left, const void *right)
{
	const struct place *a = left, *b = right;
	if (a->pid != b->pid)
		return a->pid < b->pid ? -1 : 1;
	if (a->time != b->time)
		return a->time < b->time ? -1 : 1;
	return a->index < b->index ? -1 : a->index > b->index;
}

/* The last image of a process that began before a time. */
static uint32_t image_before(const struct places *places, uint32_t pid, uint64_t time)
{
	size_t low = 0, high = places->count;
	while (low < high) {
		size_t middle = low + (high - low) / 2;
		const struct place *place = &places->list[middle];
		if (place->pid < pid || (place->pid == pid && place->time < time))
			low = middle + 1;
		else
			high = middle;
	}
	return low && places->list[low - 1].pid == pid ? places->list[low - 1].index : MODEL_NONE;
}

static void find_parent(struct model *model, const struct places *places,
			struct model_process *process)
{
	const struct trace_header *header = &process->header;
	uint32_t index;

	process->parent = MODEL_NONE;
	process->origin = header->flags & TRACE_FORKED ? ORIGIN_FORK : ORIGIN_START;
	if (header->flags & TRACE_FORKED) {
		if (!header->parent_time || header->parent_time >= header->time)
			return;
		index = image_before(places, header->parent, header->parent_time + 1);
		if (index != MODEL_NONE &&
		    model->processes[index].header.time == header->parent_time)
			process->parent = index;
		return;
	}
	index = image_before(places, header->pid, header->time);
	if (index != MODEL_NONE && model->processes[index].closed &&
	    model->processes[index].close.reason == TRACE_REASON_EXEC) {
		process->parent = index;
		process->origin = ORIGIN_EXEC;
		return;
	}
	index = header->flags & TRACE_INHERITED ? image_before(places, header->parent, header->time)
						: MODEL_NONE;
	if (index == MODEL_NONE)
		return;
	process->parent = index;
	process->origin = ORIGIN_PROGRAM;
}

/* One pid, and not one process that executed a program: then its beginning tells it apart. */
static void tell_apart(struct model *model, const struct places *places)
{
	uint64_t begin = UINT64_MAX;

	for (size_t i = 0; i < model->process_count; i++)
		if (model->processes[i].header.time < begin)
			begin = model->processes[i].header.time;
	for (size_t i = 0; i < places->count; i++) {
		struct model_process *process = &model->processes[places->list[i].index];
		process->begun = process->header.time - begin;
		process->pid_again = false;
		if (!i || places->list[i - 1].pid != places->list[i].pid)
			continue;
		if (process->origin == ORIGIN_EXEC)
			process->pid_again = model->processes[process->parent].pid_again;
		else
			process->pid_again = true;
	}
}

static struct model_process *base; /* of the comparison below */

static int by_time(const void *left, const void *right)
{
	const uint32_t a = *(const uint32_t *)left, b = *(const uint32_t *)right;
	if (base[a].header.time != base[b].header.time)
		return base[a].header.time < base[b].header.time ? -1 : 1;
	return a < b ? -1 : a > b;
}

/* From the latest to the first, so that each list of children ends up in order of time. */
static uint32_t link_children(struct model *model, const uint32_t *in_time)
{
	uint32_t first_root = MODEL_NONE;
	for (size_t i = 0; i < model->process_count; i++)
		model->processes[i].first_child = MODEL_NONE;
	for (size_t i = model->process_count; i-- > 0;) {
		struct model_process *process = &model->processes[in_time[i]];
		uint32_t *list = process->parent == MODEL_NONE
					 ? &first_root
					 : &model->processes[process->parent].first_child;
		process->next_sibling = *list;
		*list = in_time[i];
	}
	return first_root;
}

static void walk(struct model *model, uint32_t root)
{
	struct model_process *processes = model->processes;
	uint32_t at = root, level = 0;
	size_t count = 0;

	while (at != MODEL_NONE) {
		processes[at].level = level;
		model->order[count++] = at;
		if (processes[at].first_child != MODEL_NONE) {
			at = processes[at].first_child;
			level++;
			continue;
		}
		while (processes[at].next_sibling == MODEL_NONE &&
		       processes[at].parent != MODEL_NONE) {
			at = processes[at].parent;
			level--;
		}
		at = processes[at].next_sibling;
	}
}

int model_link(struct model *model)
{
	struct places places = {.count = model->process_count};

	free(model->order);
	model->order = calloc(model->process_count + 1, sizeof(*model->order));
	places.list = calloc(model->process_count + 1, sizeof(*places.list));
	if (!model->order || !places.list) {
		free(places.list);
		return -ENOMEM;
	}
	for (uint32_t i = 0; i < model->process_count; i++) {
		const struct trace_header *header = &model->processes[i].header;
		places.list[i] = (struct place){
			.pid = header->pid, .index = i, .time = header->time};
		model->order[i] = i;
	}
	qsort(places.list, places.count, sizeof(*places.list), by_pid_and_time);
	for (size_t i = 0; i < model->process_count; i++)
		find_parent(model, &places, &model->processes[i]);
	tell_apart(model, &places);
	base = model->processes;
	qsort(model->order, model->process_count, sizeof(*model->order), by_time);
	walk(model, link_children(model, model->order));
	free(places.list);
	return 0;
}
