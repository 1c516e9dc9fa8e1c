#include "model_names.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "perf_map.h"

static const struct code_place nowhere_place = {.count = 0};

/* ---- modules ---- */

struct symbolizer_module *model_module_symbols(struct model *model, uint32_t index)
{
	struct model_module *module = &model->modules[index];
	if (module->symbols || !module->path || model->without_names)
		return module->symbols;
	if (!model->symbolizer)
		model->symbolizer = symbolizer_new(&model->strings);
	if (model->symbolizer)
		module->symbols = symbolizer_module(model->symbolizer, module->path, &module->id,
						    module->offset);
	return module->symbols;
}

const char *model_module_name(const struct model *model, uint32_t module)
{
	const char *path = model->modules[module].path, *slash;
	if (!module)
		return "[unknown]";
	if (!path)
		return "[generated]";
	slash = strrchr(path, '/');
	return slash && slash[1] ? slash + 1 : path;
}

const char *model_module_problem(struct model *model, uint32_t index)
{
	struct symbolizer_module *module = model->modules[index].symbols;
	if (!module)
		return NULL;
	switch (symbolizer_state(module)) {
	case MODULE_REPLACED: return "another file is there now (its build-id differs): no names";
	case MODULE_MISSING: return "the file is not there: no names";
	case MODULE_UNPROVEN: return "no build-id was recorded: names may be of another version";
	default: break;
	}
	if (!symbolizer_has_functions(module))
		return "stripped: no names";
	return NULL;
}

/* ---- generated code ---- */

/* The copy beside the trace, else the file itself, which a killed process leaves behind. */
static struct perf_map *read_perf_map(struct model *model, const struct model_process *process)
{
	char *kept = perf_map_beside(process->folder, process->file), path[48];
	const struct perf_map_owner owner = {process->owner,
					     (int64_t)(process->header.wall_time / 1000000000)};
	struct perf_map *map = kept ? perf_map_read(kept, NULL, &model->strings) : NULL;

	free(kept);
	if (map && map->count)
		return map;
	perf_map_free(map);
	snprintf(path, sizeof(path), "/tmp/perf-%u.map", process->header.pid);
	return perf_map_read(path, &owner, &model->strings);
}

/* A forked child runs its parent's code on: the nearest map that knows the address. */
static const char *generated_name(struct model *model, uint32_t index, uint64_t address)
{
	if (!model->perf_maps)
		model->perf_maps = calloc(model->process_count, sizeof(*model->perf_maps));
	while (model->perf_maps && index < model->process_count) {
		const struct model_process *process = &model->processes[index];
		struct perf_map **map = &model->perf_maps[index];
		const char *name;
		if (!*map)
			*map = read_perf_map(model, process);
		name = *map ? perf_map_find(*map, address) : NULL;
		if (name || process->origin != ORIGIN_FORK)
			return name;
		index = process->parent;
	}
	return NULL;
}

static const struct code_place *generated_place(struct model *model, uint32_t process,
						uint64_t address)
{
	_Alignas(struct code_place) char
		room[sizeof(struct code_place) + sizeof(struct source_line)] = {0};
	struct code_place *place = (struct code_place *)room;
	const char *kept;

	place->count = 1;
	place->lines[0].function = generated_name(model, process, address);
	kept = intern_bytes(&model->strings, room, sizeof(room));
	return kept ? (const struct code_place *)kept : &nowhere_place;
}

/* ---- frames ---- */

const struct code_place *model_place(struct model *model, uint32_t index)
{
	struct model_frame *frame = &model->frames[index];
	struct model_module *module = &model->modules[frame->module];
	struct symbolizer_module *symbols;

	if (frame->place)
		return frame->place;
	if (!model->without_names && frame->module && !module->path) {
		frame->place = generated_place(model, module->process, frame->offset);
	} else {
		symbols = model_module_symbols(model, frame->module);
		frame->place = symbols ? symbolizer_find(symbols, frame->offset) : NULL;
	}
	if (!frame->place)
		frame->place = &nowhere_place;
	return frame->place;
}

const char *model_function(struct model *model, uint32_t frame)
{
	const struct code_place *place = model_place(model, frame);
	for (unsigned i = 0; i < place->count; i++)
		if (place->lines[i].function)
			return place->lines[i].function;
	return NULL;
}

uint64_t model_address(struct model *model, uint32_t index)
{
	const struct model_frame *frame = &model->frames[index];
	struct symbolizer_module *symbols = model_module_symbols(model, frame->module);
	return symbols ? symbolizer_address(symbols, frame->offset) : frame->offset;
}
