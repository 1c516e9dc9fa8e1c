#include "samples.h"

#include <stdlib.h>
#include <string.h>

struct key {
	uint32_t process, stack;
	uint32_t kind, cause, side;
	uint32_t unused;
	const char *region;
};

static struct key key_of(const struct model *model, uint32_t process,
			 const struct model_write *write, bool apart)
{
	const struct model_process *of = &model->processes[process];
	struct key key = {.process = process, .stack = write->stack};
	if (!apart)
		return key;
	key.kind = model_kind(write->kind);
	key.cause = model_cause(write->cause);
	key.side = model_side(of, write->epoch);
	key.region = of->mappings[write->mapping].name;
	return key;
}

static bool add(struct samples *samples, struct model *model, const struct key *key)
{
	uint64_t kept = (uintptr_t)intern_bytes(&model->strings, (const char *)key, sizeof(*key));
	uint32_t index = kept ? table_get(&samples->index, kept) : TABLE_NONE;

	if (index == TABLE_NONE) {
		index = (uint32_t)samples->count;
		if (!kept ||
		    !array_grow(&samples->list, samples->count, &samples->capacity,
				sizeof(*samples->list)) ||
		    !table_set(&samples->index, kept, index))
			return false;
		samples->list[samples->count++] = (struct sample){
			.process = key->process,
			.stack = key->stack,
			.kind = (uint8_t)key->kind,
			.cause = (uint8_t)key->cause,
			.side = (uint8_t)key->side,
			.region = key->region,
		};
	}
	samples->list[index].writes++;
	return true;
}

bool samples_collect(struct samples *samples, struct model *model,
		     const struct selection *selection, bool apart)
{
	*samples = (struct samples){0};
	for (size_t i = 0; i < model->process_count; i++) {
		const struct model_process *process = &model->processes[model->order[i]];
		for (size_t j = 0; j < process->write_count; j++) {
			struct key key = key_of(model, model->order[i], &process->writes[j], apart);
			if (selection_takes(selection, process, &process->writes[j]) &&
			    !add(samples, model, &key))
				return false;
		}
	}
	return true;
}

void samples_free(struct samples *samples)
{
	free(samples->list);
	table_free(&samples->index);
}
