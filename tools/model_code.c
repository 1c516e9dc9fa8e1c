/* Modules, frames and stacks of the model. */
#include <stdlib.h>
#include <string.h>

#include "model_read.h"

#define NO_SPAN UINT32_MAX

struct raw_frame {
	uint64_t address;
	uint32_t span; /* that held it when the stack was recorded, or NO_SPAN */
};

struct raw_stack {
	size_t first;
	uint32_t depth;
	uint32_t index; /* in the model, once finished */
};

/* ---- what the model has once ---- */

/* The number of a key in an index; `next` when it is new, TABLE_NONE without memory. */
static uint32_t number_of(struct model *model, struct table *index, const void *key, size_t size,
			  size_t next, const char **kept)
{
	const char *interned = intern_bytes(&model->strings, key, size);
	uint32_t number;

	if (!interned || next >= TABLE_NONE)
		return TABLE_NONE;
	*kept = interned;
	number = table_get(index, (uintptr_t)interned);
	if (number != TABLE_NONE)
		return number;
	return table_set(index, (uintptr_t)interned, (uint32_t)next) ? (uint32_t)next : TABLE_NONE;
}

static uint32_t add_module(struct model *model, const struct model_module *module)
{
	struct {
		struct build_id id;
		const char *path;
		uint32_t process;
	} key;
	const char *kept;
	uint32_t number;

	memset(&key, 0, sizeof(key));
	memcpy(&key.id, &module->id, sizeof(key.id));
	key.path = module->path;
	key.process = module->process;
	if (!array_grow(&model->modules, model->module_count, &model->module_capacity,
			sizeof(*model->modules)))
		return TABLE_NONE;
	number = number_of(model, &model->module_index, &key, sizeof(key), model->module_count,
			   &kept);
	if (number == model->module_count)
		model->modules[model->module_count++] = *module;
	return number;
}

static uint32_t add_frame(struct model *model, uint32_t module, uint64_t offset)
{
	const uint64_t key[] = {module, offset};
	const char *kept;
	uint32_t number;

	if (!array_grow(&model->frames, model->frame_count, &model->frame_capacity,
			sizeof(*model->frames)))
		return TABLE_NONE;
	number = number_of(model, &model->frame_index, key, sizeof(key), model->frame_count, &kept);
	if (number == model->frame_count)
		model->frames[model->frame_count++] = (struct model_frame){.module = module,
									   .offset = offset};
	return number;
}

static uint32_t add_stack(struct model *model, const uint32_t *frames, uint32_t depth)
{
	const char *kept;
	uint32_t number;

	if (!array_grow(&model->stacks, model->stack_count, &model->stack_capacity,
			sizeof(*model->stacks)))
		return TABLE_NONE;
	number = number_of(model, &model->stack_index, frames, depth * sizeof(*frames),
			   model->stack_count, &kept);
	if (number == model->stack_count)
		model->stacks[model->stack_count++] = (struct model_stack){
			.frames = (const uint32_t *)kept, .depth = depth};
	return number;
}

/* ---- records ---- */

static bool remove_module(struct model_code *code, const struct trace_module *record)
{
	const struct range *range = ranges_find(&code->live, record->start);
	if (range)
		code->spans[range->value].removed = record->time;
	return ranges_clear(&code->live, record->start, record->end);
}

bool code_module(struct model_code *code, const struct trace_module *record)
{
	struct model_module module = {
		.start = record->start, .end = record->end, .offset = record->offset};
	struct model_span span = {
		.start = record->start, .end = record->end, .offset = record->offset};

	if (record->action == TRACE_REMOVE)
		return remove_module(code, record);
	if (record->action != TRACE_ADD)
		return true;
	module.id.length = (uint8_t)record->build_id_length;
	memcpy(module.id.bytes, trace_tail(record, record->head, 0), module.id.length);
	module.path = intern_bytes(&code->model->strings,
				   trace_tail(record, record->head, module.id.length),
				   record->path_length);
	module.process = MODEL_NONE;
	if (!module.path ||
	    !array_grow(&code->spans, code->span_count, &code->span_capacity, sizeof(*code->spans)))
		return false;
	span.module = add_module(code->model, &module);
	if (span.module == TABLE_NONE)
		return false;
	code->spans[code->span_count] = span;
	return ranges_set(&code->live, record->start, record->end, (uint32_t)code->span_count) &&
	       ranges_set(&code->known, record->start, record->end, (uint32_t)code->span_count++);
}

bool code_stack(struct model_code *code, const struct trace_stack *record)
{
	struct raw_stack stack = {.first = code->frame_count, .depth = record->depth};

	if (!record->id)
		return true;
	if (!array_grow(&code->stacks, code->stack_count, &code->stack_capacity,
			sizeof(*code->stacks)))
		return false;
	for (uint32_t i = 0; i < record->depth; i++) {
		struct raw_frame frame = {.address = record->addresses[i], .span = NO_SPAN};
		const struct range *range;
		if (i && frame.address)
			frame.address--; /* into the call */
		range = ranges_find(&code->live, frame.address);
		if (range)
			frame.span = range->value;
		if (!array_grow(&code->frames, code->frame_count, &code->frame_capacity,
				sizeof(frame)))
			return false;
		code->frames[code->frame_count++] = frame;
	}
	code->stacks[code->stack_count] = stack;
	return table_set(&code->ids, record->id, (uint32_t)code->stack_count++);
}

/* ---- the end of a file ---- */

static uint32_t frame_outside_of_files(struct model_code *code, uint64_t address)
{
	if (!code->generated) {
		struct model_module module = {.process = code->process};
		code->generated = add_module(code->model, &module);
	}
	return code->generated == TABLE_NONE ? TABLE_NONE
					     : add_frame(code->model, code->generated, address);
}

static uint32_t frame_of(struct model_code *code, const struct raw_frame *raw)
{
	const struct model_span *span;
	uint32_t index = raw->span;

	if (index == NO_SPAN) {
		const struct range *range = ranges_find(&code->known, raw->address);
		if (!range)
			return frame_outside_of_files(code, raw->address);
		index = range->value;
	}
	span = &code->spans[index];
	return add_frame(code->model, span->module, raw->address - span->start + span->offset);
}

/* The library's own frames, around main and threads' start, say nothing about the program. */
static bool is_ours(const struct model *model, uint32_t frame)
{
	const char *path = model->modules[model->frames[frame].module].path;
	const char *slash = path ? strrchr(path, '/') : NULL;
	return slash && strcmp(slash, "/libcowspy.so") == 0;
}

bool code_finish(struct model_code *code)
{
	uint32_t frames[TRACE_RECORD_MOST / sizeof(uint64_t)];

	for (size_t i = 0; i < code->stack_count; i++) {
		struct raw_stack *stack = &code->stacks[i];
		uint32_t depth = 0;
		for (uint32_t j = 0; j < stack->depth; j++) {
			frames[depth] = frame_of(code, &code->frames[stack->first + j]);
			if (frames[depth] == TABLE_NONE)
				return false;
			depth += !is_ours(code->model, frames[depth]);
		}
		stack->index = add_stack(code->model, frames, depth);
		if (stack->index == TABLE_NONE)
			return false;
	}
	return true;
}

uint32_t code_find(const struct model_code *code, uint32_t id)
{
	uint32_t index = table_get(&code->ids, id);
	return index == TABLE_NONE ? 0 : code->stacks[index].index;
}

void code_free(struct model_code *code)
{
	free(code->spans);
	free(code->stacks);
	free(code->frames);
	ranges_free(&code->live);
	ranges_free(&code->known);
	table_free(&code->ids);
}
