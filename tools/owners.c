#include "owners.h"

#include <stdlib.h>
#include <string.h>

#include "model_names.h"
#include "output.h"

/* ---- data of modules ---- */

static struct code_extent extent_of(const struct model_span *span)
{
	return (struct code_extent){span->start, span->end, span->offset};
}

/* A module loaded later to the same place takes it. */
static void find_data(struct model *model, struct model_process *process)
{
	process->data = calloc(1, sizeof(*process->data));
	for (uint32_t i = 0; process->data && i < process->span_count; i++) {
		const struct model_span *span = &process->spans[i];
		struct symbolizer_module *module = model_module_symbols(model, span->module);
		struct code_extent code = extent_of(span);
		uint64_t start, end;
		for (size_t next = 0;
		     module && symbolizer_next_data(module, &code, &next, &start, &end);)
			ranges_set(process->data, start & ~(uint64_t)4095, end, i);
	}
}

/* What was mapped in the place of a module that is gone has another name, or comes after it. */
static const struct model_span *span_at(struct model *model, struct model_process *process,
					const struct model_write *write)
{
	const char *name = process->mappings[write->mapping].name;
	const struct model_span *span;
	const struct range *range;

	if (!process->data)
		find_data(model, process);
	range = process->data ? ranges_find(process->data, write->page) : NULL;
	if (!range)
		return NULL;
	span = &process->spans[range->value];
	if ((span->removed && span->removed < write->time) ||
	    (name && strcmp(name, model->modules[span->module].path) != 0))
		return NULL;
	return span;
}

static void find_object(struct model *model, const struct model_span *span,
			const struct model_write *write, uint64_t page_size, struct owner *owner)
{
	struct symbolizer_module *module = model_module_symbols(model, span->module);
	struct code_extent code = extent_of(span);
	uint64_t address = write->page + (write->offset ? write->offset - 1u : 0);
	struct data_object object = symbolizer_object(module, &code, address);

	owner->module = span->module;
	owner->section = object.section;
	/* Without the place in the page it is an object's only when all of the page is. */
	if (!write->offset && (!object.name || object.size - object.offset < page_size))
		return;
	owner->object = object.name;
	owner->offset = object.offset;
	owner->size = object.size;
}

struct owner owner_of(struct model *model, struct model_process *process,
		      const struct model_write *write)
{
	struct owner owner = {.mapping = &process->mappings[write->mapping]};
	const struct model_span *span = span_at(model, process, write);

	if (span)
		find_object(model, span, write, process->header.page_size, &owner);
	return owner;
}

/* ---- names ---- */

uint64_t mapping_key(struct model *model, const struct model_mapping *mapping)
{
	const uint64_t key[] = {mapping->start, mapping->end};
	if (mapping->name)
		return (uintptr_t)mapping->name;
	return (uintptr_t)intern_bytes(&model->strings, (const char *)key, sizeof(key));
}

uint64_t owner_key(struct model *model, const struct owner *owner)
{
	const uint64_t key[] = {
		(uintptr_t)model->modules[owner->module].path,
		(uintptr_t)owner->object,
		(uintptr_t)(owner->object ? NULL : owner->section),
	};
	if (!owner->module)
		return mapping_key(model, owner->mapping);
	return (uintptr_t)intern_bytes(&model->strings, (const char *)key, sizeof(key));
}

void owner_print_mapping(const struct model_mapping *mapping, struct text *text)
{
	if (mapping->name) {
		output_string(text, mapping->name);
		return;
	}
	if (!mapping->end) {
		text_string(text, "[not tracked at that time]");
		return;
	}
	text_string(text, "[anonymous] ");
	text_hex(text, mapping->start, 1);
	text_character(text, '-');
	text_hex(text, mapping->end, 1);
	text_string(text, ", ");
	text_size(text, mapping->end - mapping->start);
}

static void print_module(const struct model *model, const struct owner *owner, struct text *text)
{
	text_string(text, " (");
	output_string(text, model_module_name(model, owner->module));
	text_character(text, ')');
}

void owner_print(const struct model *model, const struct owner *owner, struct text *text)
{
	if (!owner->module) {
		owner_print_mapping(owner->mapping, text);
		return;
	}
	if (owner->object)
		output_string(text, owner->object);
	else
		output_string(text, owner->section ? owner->section : "[data]");
	print_module(model, owner, text);
	if (owner->object) {
		text_string(text, ", ");
		text_size(text, owner->size);
	}
}

void owner_print_place(const struct model *model, const struct owner *owner, struct text *text)
{
	if (!owner->module || !owner->object) {
		owner_print(model, owner, text);
		return;
	}
	output_string(text, owner->object);
	text_string(text, "+0x");
	text_hex(text, owner->offset, 1);
	print_module(model, owner, text);
}
