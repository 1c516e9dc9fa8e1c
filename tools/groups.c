#include "groups.h"

#include <stdlib.h>
#include <string.h>

#include "model_names.h"

#define SLICES_MOST 20

const char *const group_by_names[GROUPINGS] = {"stack",   "function", "module",
					       "mapping", "process",  "time"};

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

static uint64_t mapping_key(struct model *model, const struct model_mapping *mapping)
{
	const uint64_t key[] = {mapping->start, mapping->end};
	return mapping->name ? (uintptr_t)mapping->name : key_of(model, key, sizeof(key));
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
	group->uncertain += write->flags & TRACE_STACK_UNCERTAIN;
	if (write->time < group->first)
		group->first = write->time;
}

static struct group *group_with(struct groups *groups, uint64_t key, uint32_t process,
				const struct model_write *write)
{
	uint32_t index = table_get(&groups->index, key);

	if (index != TABLE_NONE)
		return &groups->list[index];
	if (!array_grow(&groups->list, groups->count, &groups->capacity, sizeof(*groups->list)) ||
	    !table_set(&groups->index, key, (uint32_t)groups->count))
		return NULL;
	groups->list[groups->count] = (struct group){
		.key = key,
		.first = UINT64_MAX,
		.process = process,
		.stack = write->stack,
		.mapping = write->mapping,
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
	case BY_PROCESS: return process;
	default:
		return write->time < groups->begin ? 0
						   : (write->time - groups->begin) / groups->slice;
	}
}

static bool count_process(struct groups *groups, struct model *model, uint64_t *kept,
			  const struct selection *selection, uint32_t index)
{
	const struct model_process *process = &model->processes[index];

	for (size_t i = 0; i < process->write_count; i++) {
		const struct model_write *write = &process->writes[i];
		struct group *group;
		if (!selection_takes(selection, process, write))
			continue;
		group = group_with(groups, write_key(groups, model, kept, index, write), index,
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
	find_duration(groups, model);
	for (uint32_t i = 0; done && i < model->process_count; i++)
		done = count_process(groups, model, kept, selection, i);
	free(kept);
	if (groups->count)
		qsort(groups->list, groups->count, sizeof(*groups->list),
		      by == BY_TIME ? by_key : by_weight);
	return done;
}

void groups_free(struct groups *groups)
{
	free(groups->list);
	table_free(&groups->index);
}
