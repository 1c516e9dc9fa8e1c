#include "selection.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "cowspy.h"

#define BIT(number) (1u << (number))

void selection_start(struct selection *selection)
{
	*selection = (struct selection){.epoch = -1, .pid = -1, .process = MODEL_NONE};
}

/* The bits of one word, 0 when there is no such name. */
static uint32_t bits_of(const char *const *names, unsigned count, const char *word, size_t length)
{
	for (unsigned i = 0; i < count; i++)
		if (strlen(names[i]) == length && memcmp(names[i], word, length) == 0)
			return BIT(i);
	if (names == model_kind_names && length == 6 && memcmp(word, "copied", 6) == 0)
		return MODEL_COPIES;
	return 0;
}

static int take_names(uint32_t *mask, const char *verb, const char *what, const char *const *names,
		      unsigned count, const char *value)
{
	while (true) {
		size_t length = strcspn(value, ",");
		uint32_t bits = bits_of(names, count, value, length);
		if (!bits)
			return usage_error(verb, "no %s '%.*s'", what, (int)length, value);
		*mask |= bits;
		if (!value[length])
			return STATUS_OK;
		value += length + 1;
	}
}

static int take_number(int64_t *number, const char *verb, const char *what, const char *value)
{
	char *end;
	errno = 0;
	*number = strtoll(value, &end, 10);
	if (errno || end == value || *end || *number < 0 || *number > UINT32_MAX)
		return usage_error(verb, "'%s' is no %s", value, what);
	return STATUS_OK;
}

int selection_option(struct selection *selection, const char *verb, int option, const char *value)
{
	switch (option) {
	case SELECTION_KIND:
		return take_names(&selection->kinds, verb, "kind", model_kind_names,
				  MODEL_KINDS - 1, value);
	case SELECTION_CAUSE:
		return take_names(&selection->causes, verb, "cause", model_cause_names,
				  MODEL_CAUSES - 1, value);
	case SELECTION_SIDE:
		return take_names(&selection->sides, verb, "side", model_side_names, SIDES, value);
	case SELECTION_EPOCH: return take_number(&selection->epoch, verb, "epoch", value);
	default: return take_number(&selection->pid, verb, "process id", value);
	}
}

bool selection_is_whole(const struct selection *selection)
{
	return !selection->kinds && !selection->causes && !selection->sides &&
	       selection->epoch < 0 && selection->pid < 0;
}

static bool takes(uint32_t mask, unsigned number)
{
	return !mask || (mask & BIT(number));
}

bool selection_takes(const struct selection *selection, const struct model_process *process,
		     const struct model_write *write)
{
	return takes(selection->kinds, model_kind(write->kind)) &&
	       takes(selection->causes, model_cause(write->cause)) &&
	       takes(selection->sides, model_side(process, write->epoch)) &&
	       (selection->epoch < 0 || write->epoch == selection->epoch) &&
	       (!selection->last_epoch || write->epoch == model_epoch(process)) &&
	       write->time >= selection->since &&
	       (selection->pid < 0 || process->header.pid == selection->pid);
}
