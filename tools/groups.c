#include "groups.h"

#include <stdlib.h>
#include <string.h>

#include "model_names.h"
#include "owners.h"

#define SLICES_MOST 20

const char *const group_by_names[GROUPINGS] = {"stack",   "function", "module", "mapping", "object",
					       "process", "time",     "label",  "slice"};

/* ---- keys ---- */

/* A number that equal bytes have in common; 0 without memory. */
static uint64_t key_of(struct model *model, const void *bytes, size_t length)
{
	return (uintptr_t)intern_bytes(&model->strings, bytes, length);
}

static uint64_t function_key(struct model *model, uint32_t stack)
{
	uint32_t leaf = stack_leaf(model, stack);
	uint32_t module = model->frames[leaf].module;
	const uint64_t key[] = {(uintptr_t)model_function(model, leaf),
				(uintptr_t)model->modules[module].path};
	return key_of(model, key, sizeof(key));
}

static uint64_t module_key(struct model *model, uint32_t stack)
{
	uint32_t module = model->frames[stack_leaf(model, stack)].module;
	return module ? key_of(model, &model->modules[module].path, sizeof(char *)) : 0;
}

static uint64_t object_key(struct model *model, struct model_process *process,
			   const struct model_write *write)
{
	struct owner owner = owner_of(model, process, write);
	return owner_key(model, &owner);
}

/* ---- time ---- */

const char *const period_names[PERIODS] = {
	"before any fork", "first 10 ms after the fork",
	"10 to 100 ms",    "0.1 to 1 s",
	"1 to 10 s",       "10 s to 1 min",
	"1 to 10 min",     "later than 10 min",
};

enum period period_of(const struct model_process *process, const struct model_write *write)
{
	static const uint64_t ends[PERIODS - 2] = {10000000,    100000000,   1000000000,
						   10000000000, 60000000000, 600000000000};
	uint64_t fork = model_fork_time(process, write->epoch), since;
	unsigned period = 0;

	if (!fork)
		return PERIOD_BEFORE;
	since = write->time > fork ? write->time - fork : 0;
	while (period < PERIODS - 2 && since >= ends[period])
		period++;
	return (enum period)(period + 1);
}

static int labels_by_time(const void *left, const void *right)
{
	const struct model_label *const *a = left, *const *b = right;
	return (*a)->time < (*b)->time ? -1 : (*a)->time > (*b)->time;
}

static bool collect_labels(struct groups *groups, const struct model *model)
{
	size_t count = 0;

	for (size_t i = 0; i < model->process_count; i++)
		count += model->processes[i].label_count;
	groups->labels = calloc(count + 1, sizeof(*groups->labels));
	if (!groups->labels)
		return false;
	for (size_t i = 0; i < model->process_count; i++)
		for (size_t j = 0; j < model->processes[i].label_count; j++)
			groups->labels[groups->label_count++] = &model->processes[i].labels[j];
	qsort(groups->labels, groups->label_count, sizeof(*groups->labels), labels_by_time);
	return true;
}

const struct model_label *groups_label_before(const struct groups *groups, uint64_t time)
{
	size_t low = 0, high = groups->label_count;

	while (low < high) {
		size_t middle = low + (high - low) / 2;
		if (groups->labels[middle]->time <= time)
			low = middle + 1;
		else
			high = middle;
	}
	return low ? groups->labels[low - 1] : NULL;
}

static uint64_t label_key(const struct groups *groups, uint64_t time)
{
	const struct model_label *label = groups_label_before(groups, time);
	return label ? (uintptr_t)label->text : 0;
}

/* Those of stacks are asked for again and again: kept by stack, key + 1. */
static uint64_t stack_key(struct model *model, uint64_t *kept, enum group_by by, uint32_t stack)
{
	if (!kept[stack])
		kept[stack] = 1 + (by == BY_FUNCTION ? function_key(model, stack)
						     : module_key(model, stack));
	return kept[stack] - 1;
}

/* ---- counting ---- */

static void count(struct group *group, const struct model_write *write, uint64_t page_size)
{
	bool copy = model_kind_is_copy(write->kind);
	group->writes++;
	group->bytes += page_size;
	group->copied += copy;
	group->copied_bytes += copy ? page_size : 0;
	group->kinds[model_kind(write->kind)]++;
	group->causes[model_cause(write->cause)]++;
	if (write->changed) {
		group->compared++;
		group->compared_bytes += page_size;
		group->changed_bytes += write->changed - 1u;
		group->identical += write->changed == 1;
	}
	group->uncertain += write->flags & TRACE_STACK_UNCERTAIN;
	group->other += (write->flags & TRACE_STACK_OTHER) != 0;
	if (write->time < group->first)
		group->first = write->time;
}

static struct group *group_with(struct groups *groups, uint64_t key, uint32_t process, size_t index,
				const struct model_write *write)
{
	uint32_t found = table_get(&groups->index, key);

	if (found != TABLE_NONE)
		return &groups->list[found];
	if (!array_grow(&groups->list, groups->count, &groups->capacity, sizeof(*groups->list)) ||
	    !table_set(&groups->index, key, (uint32_t)groups->count))
		return NULL;
	groups->list[groups->count] = (struct group){
		.key = key,
		.first = UINT64_MAX,
		.process = process,
		.stack = write->stack,
		.mapping = write->mapping,
		.write = index,
	};
	return &groups->list[groups->count++];
}

static uint64_t write_key(struct groups *groups, struct model *model, uint64_t *kept,
			  uint32_t process, const struct model_write *write)
{
	switch (groups->by) {
	case BY_STACK: return write->stack;
	case BY_FUNCTION:
	case BY_MODULE: return stack_key(model, kept, groups->by, write->stack);
	case BY_MAPPING:
		return mapping_key(model, &model->processes[process].mappings[write->mapping]);
	case BY_OBJECT: return object_key(model, &model->processes[process], write);
	case BY_PROCESS: return process;
	case BY_TIME: return period_of(&model->processes[process], write);
	case BY_LABEL: return label_key(groups, write->time);
	default:
		return write->time < groups->begin ? 0
						   : (write->time - groups->begin) / groups->slice;
	}
}

static bool count_process(struct groups *groups, struct model *model, uint64_t *kept,
			  const struct selection *selection, uint32_t index)
{
	const struct model_process *process = &model->processes[index];

	if (selection->process != MODEL_NONE && selection->process != index)
		return true;
	for (size_t i = 0; i < process->write_count; i++) {
		const struct model_write *write = &process->writes[i];
		struct group *group;
		if (!selection_takes(selection, process, write))
			continue;
		group = group_with(groups, write_key(groups, model, kept, index, write), index, i,
				   write);
		if (!group)
			return false;
		count(group, write, process->header.page_size);
		count(&groups->total, write, process->header.page_size);
	}
	return true;
}

/* ---- order ---- */

static int by_weight(const void *left, const void *right)
{
	const struct group *a = left, *b = right;
	if (a->copied_bytes != b->copied_bytes)
		return a->copied_bytes > b->copied_bytes ? -1 : 1;
	if (a->bytes != b->bytes)
		return a->bytes > b->bytes ? -1 : 1;
	if (a->first != b->first)
		return a->first < b->first ? -1 : 1;
	return a->key < b->key ? -1 : a->key > b->key;
}

static int by_key(const void *left, const void *right)
{
	const struct group *a = left, *b = right;
	return a->key < b->key ? -1 : a->key > b->key;
}

/* 1, 2 or 5 of some unit: the shortest of which there are few enough. */
static uint64_t slice_of(uint64_t duration)
{
	for (uint64_t unit = 1000; unit < UINT64_MAX / 100; unit *= 10)
		for (unsigned i = 0; i < 3; i++) {
			uint64_t slice = unit * (i == 0 ? 1 : i == 1 ? 2 : 5);
			if (duration / slice < SLICES_MOST)
				return slice;
		}
	return UINT64_MAX;
}

static int by_first(const void *left, const void *right)
{
	const struct group *a = left, *b = right;
	return a->first < b->first ? -1 : a->first > b->first;
}

static void find_duration(struct groups *groups, const struct model *model)
{
	groups->begin = UINT64_MAX;
	for (size_t i = 0; i < model->process_count; i++) {
		const struct model_process *process = &model->processes[i];
		if (process->header.time < groups->begin)
			groups->begin = process->header.time;
		if (process->last_time > groups->end)
			groups->end = process->last_time;
	}
	if (groups->end < groups->begin)
		groups->end = groups->begin;
	groups->slice = slice_of(groups->end - groups->begin);
}

bool groups_collect(struct groups *groups, struct model *model, const struct selection *selection,
		    enum group_by by)
{
	uint64_t *kept = calloc(model->stack_count, sizeof(*kept));
	bool done = kept != NULL;

	*groups = (struct groups){.by = by, .total.first = UINT64_MAX};
	if (by == BY_LABEL)
		done = done && collect_labels(groups, model);
	find_duration(groups, model);
	for (uint32_t i = 0; done && i < model->process_count; i++)
		done = count_process(groups, model, kept, selection, i);
	free(kept);
	if (groups->count)
		qsort(groups->list, groups->count, sizeof(*groups->list),
		      by == BY_TIME || by == BY_SLICE ? by_key
		      : by == BY_LABEL                ? by_first
						      : by_weight);
	return done;
}

void groups_free(struct groups *groups)
{
	free(groups->list);
	free(groups->labels);
	table_free(&groups->index);
}
