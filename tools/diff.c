#include "diff.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "groups.h"
#include "model_names.h"

#define KEY_MOST 65536

double diff_percent(uint64_t before, uint64_t after)
{
	if (before)
		return ((double)after - (double)before) * 100 / (double)before;
	return after ? INFINITY : 0;
}

/* ---- keys: names, one behind the other ---- */

struct key {
	char bytes[KEY_MOST];
	size_t length;
};

/* What does not fit is left out: such deep stacks differ before. */
static void key_add(struct key *key, const char *string)
{
	size_t length = strlen(string) + 1;
	if (length > KEY_MOST - key->length)
		return;
	memcpy(key->bytes + key->length, string, length);
	key->length += length;
}

static void key_add_address(struct key *key, uint64_t address)
{
	char text[24];
	snprintf(text, sizeof(text), "+%jx", (uintmax_t)address);
	key_add(key, text);
}

static void key_add_frame(struct key *key, struct model *model, uint32_t frame, bool addresses)
{
	const struct code_place *place = model_place(model, frame);
	bool named = false;

	key_add(key, model_module_name(model, model->frames[frame].module));
	for (unsigned i = 0; i < place->count; i++) {
		if (!place->lines[i].function)
			continue;
		key_add(key, place->lines[i].function);
		named = true;
		if (!addresses)
			return; /* the innermost function alone */
	}
	if (!named && addresses && model->modules[model->frames[frame].module].path)
		key_add_address(key, model_address(model, frame));
}

static const char *stack_key(struct diff *diff, struct model *model, uint32_t index,
			     struct key *key)
{
	const struct model_stack *stack = &model->stacks[index];
	key->length = 0;
	for (uint32_t i = 0; i < stack->depth; i++)
		key_add_frame(key, model, stack->frames[i], true);
	return intern_bytes(&diff->strings, key->bytes, key->length);
}

static const char *function_key(struct diff *diff, struct model *model, uint32_t index,
				struct key *key)
{
	key->length = 0;
	key_add_frame(key, model, stack_leaf(model, index), false);
	return intern_bytes(&diff->strings, key->bytes, key->length);
}

/* ---- rows ---- */

static bool row_add(struct diff_rows *rows, const char *key, unsigned side,
		    const struct group *group)
{
	uint32_t index = key ? table_get(&rows->index, (uintptr_t)key) : TABLE_NONE;

	if (index == TABLE_NONE) {
		index = (uint32_t)rows->count;
		if (!key ||
		    !array_grow(&rows->list, rows->count, &rows->capacity, sizeof(*rows->list)) ||
		    !table_set(&rows->index, (uintptr_t)key, index))
			return false;
		rows->list[rows->count++] = (struct diff_row){0};
	}
	rows->list[index].bytes[side] += group->bytes;
	rows->list[index].side = side;
	rows->list[index].stack = group->stack;
	return true;
}

static int by_growth(const void *left, const void *right)
{
	const struct diff_row *a = left, *b = right;
	int64_t of_a = (int64_t)(a->bytes[DIFF_AFTER] - a->bytes[DIFF_BEFORE]);
	int64_t of_b = (int64_t)(b->bytes[DIFF_AFTER] - b->bytes[DIFF_BEFORE]);
	if (of_a != of_b)
		return of_a > of_b ? -1 : 1;
	if (a->bytes[DIFF_AFTER] != b->bytes[DIFF_AFTER])
		return a->bytes[DIFF_AFTER] > b->bytes[DIFF_AFTER] ? -1 : 1;
	return a->side != b->side ? (int)a->side - (int)b->side
				  : (a->stack > b->stack) - (a->stack < b->stack);
}

static bool collect_side(struct diff *diff, unsigned side, struct key *key)
{
	struct model *model = &diff->models[side];
	struct groups groups;
	bool done = groups_collect(&groups, model, &diff->selection, BY_STACK);

	for (size_t i = 0; done && i < groups.count; i++) {
		const struct group *group = &groups.list[i];
		done = row_add(&diff->stacks, stack_key(diff, model, group->stack, key), side,
			       group) &&
		       row_add(&diff->functions, function_key(diff, model, group->stack, key), side,
			       group);
	}
	diff->bytes[side] = groups.total.bytes;
	groups_free(&groups);
	return done;
}

static bool has_copies(const struct model *model)
{
	for (size_t i = 0; i < model->process_count; i++) {
		const struct model_process *process = &model->processes[i];
		for (size_t j = 0; j < process->write_count; j++)
			if (model_kind_is_copy(process->writes[j].kind))
				return true;
	}
	return false;
}

bool diff_collect(struct diff *diff)
{
	struct key *key = malloc(sizeof(*key));
	bool done = key != NULL;

	if (!diff->selection.kinds &&
	    (has_copies(&diff->models[DIFF_BEFORE]) || has_copies(&diff->models[DIFF_AFTER]))) {
		diff->copies = true;
		diff->selection.kinds = MODEL_COPIES;
	}
	for (unsigned side = 0; done && side < DIFF_SIDES; side++)
		done = collect_side(diff, side, key);
	free(key);
	if (diff->stacks.count)
		qsort(diff->stacks.list, diff->stacks.count, sizeof(*diff->stacks.list), by_growth);
	if (diff->functions.count)
		qsort(diff->functions.list, diff->functions.count, sizeof(*diff->functions.list),
		      by_growth);
	return done;
}

void diff_free(struct diff *diff)
{
	free(diff->stacks.list);
	free(diff->functions.list);
	table_free(&diff->stacks.index);
	table_free(&diff->functions.index);
	intern_free(&diff->strings);
}
