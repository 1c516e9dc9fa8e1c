/*
 * The profile message of pprof (profile.proto), gzipped. Numbers of functions, locations and
 * mappings are those of the model's frames and modules; strings are numbered as they come.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <zlib.h>

#include "base/text.h"
#include "export.h"
#include "model_names.h"
#include "profile.pb-c.h"
#include "samples.h"

#define VALUES 4
#define LABELS 5

struct builder {
	const struct export *export;
	struct model *model;
	Perftools__Profiles__Profile profile;
	struct table strings, functions;
	size_t string_capacity, function_capacity, location_capacity, mapping_capacity;
	size_t sample_capacity;
	bool *has_location, *has_mapping;
	bool failed; /* out of memory */
	bool copies; /* there are some */
};

/* ---- memory: everything is kept until the message is written ---- */

static void *make(struct builder *builder, size_t size)
{
	void *made = calloc(1, size);
	if (!made)
		builder->failed = true;
	return made;
}

/* Append to one of the message's lists. */
static void append(struct builder *builder, void *list, size_t *count, size_t *capacity, void *item)
{
	if (!item || !array_grow(list, *count, capacity, sizeof(void *))) {
		free(item);
		builder->failed = true;
		return;
	}
	(*(void ***)list)[(*count)++] = item;
}

/* The index of a string that is escaped already. */
static int64_t string_index(struct builder *builder, const char *string)
{
	const char *kept = intern_string(&builder->model->strings, string);
	uint32_t index = kept ? table_get(&builder->strings, (uintptr_t)kept) : 0;
	Perftools__Profiles__Profile *profile = &builder->profile;

	if (index != TABLE_NONE && kept)
		return index;
	index = (uint32_t)profile->n_string_table;
	if (!kept || !table_set(&builder->strings, (uintptr_t)kept, index) ||
	    !array_grow(&profile->string_table, index, &builder->string_capacity, sizeof(char *))) {
		builder->failed = true;
		return 0;
	}
	profile->string_table[profile->n_string_table++] = (char *)kept;
	return index;
}

/* ---- code ---- */

static uint64_t function_of(struct builder *builder, const char *name,
			    const struct source_line *line)
{
	Perftools__Profiles__Profile *profile = &builder->profile;
	uint64_t of_name = (uint64_t)string_index(builder, name);
	uint64_t of_file = (uint64_t)string_index(builder,
						  line->file ? export_escaped(line->file) : "");
	uint64_t key = of_name << 32 | of_file;
	uint32_t known = table_get(&builder->functions, key);
	Perftools__Profiles__Function *function;

	if (known != TABLE_NONE)
		return known;
	function = make(builder, sizeof(*function));
	if (!function)
		return 0;
	perftools__profiles__function__init(function);
	function->id = profile->n_function + 1;
	function->name = function->system_name = (int64_t)of_name;
	function->filename = (int64_t)of_file;
	if (!table_set(&builder->functions, key, (uint32_t)function->id))
		builder->failed = true;
	append(builder, &profile->function, &profile->n_function, &builder->function_capacity,
	       function);
	return profile->n_function;
}

static void add_mapping(struct builder *builder, uint32_t index)
{
	const struct model_module *module = &builder->model->modules[index];
	Perftools__Profiles__Profile *profile = &builder->profile;
	Perftools__Profiles__Mapping *mapping;
	char id[2 * BUILD_ID_MOST + 1] = "";

	if (builder->has_mapping[index] || !module->path)
		return;
	builder->has_mapping[index] = true;
	mapping = make(builder, sizeof(*mapping));
	if (!mapping)
		return;
	for (unsigned i = 0; i < module->id.length; i++)
		snprintf(id + 2 * i, 3, "%02x", module->id.bytes[i]);
	perftools__profiles__mapping__init(mapping);
	mapping->id = index;
	mapping->memory_start = module->start;
	mapping->memory_limit = module->end;
	mapping->file_offset = module->offset;
	mapping->filename = string_index(builder, export_escaped(module->path));
	mapping->build_id = string_index(builder, id);
	if (module->symbols) {
		mapping->has_functions = symbolizer_has_functions(module->symbols);
		mapping->has_filenames = symbolizer_has_lines(module->symbols);
		mapping->has_line_numbers = mapping->has_filenames;
		mapping->has_inline_frames = mapping->has_filenames;
	}
	append(builder, &profile->mapping, &profile->n_mapping, &builder->mapping_capacity,
	       mapping);
}

static Perftools__Profiles__Line *line_of(struct builder *builder, uint32_t frame, unsigned level)
{
	const struct source_line *from = export_level_line(builder->model, frame, level);
	Perftools__Profiles__Line *line = make(builder, sizeof(*line));
	if (!line)
		return NULL;
	perftools__profiles__line__init(line);
	line->function_id = function_of(builder, export_level_name(builder->model, frame, level),
					from);
	line->line = from->line;
	return line;
}

/* Frame 0 is the place of first writes without a stack. */
static void add_location(struct builder *builder, uint32_t index)
{
	const struct model_frame *frame = &builder->model->frames[index];
	const struct model_module *module = &builder->model->modules[frame->module];
	Perftools__Profiles__Profile *profile = &builder->profile;
	Perftools__Profiles__Location *location;
	unsigned levels = export_levels(builder->model, index);
	size_t capacity = 0;

	if (builder->has_location[index])
		return;
	builder->has_location[index] = true;
	location = make(builder, sizeof(*location));
	if (!location)
		return;
	perftools__profiles__location__init(location);
	location->id = (uint64_t)index + 1;
	location->mapping_id = module->path ? frame->module : 0;
	location->address = module->path ? frame->offset - module->offset + module->start
					 : frame->offset;
	for (unsigned level = 0; level < levels; level++)
		append(builder, &location->line, &location->n_line, &capacity,
		       line_of(builder, index, level));
	add_mapping(builder, frame->module);
	append(builder, &profile->location, &profile->n_location, &builder->location_capacity,
	       location);
}

/* ---- samples ---- */

static void add_label(struct builder *builder, Perftools__Profiles__Sample *sample, const char *key,
		      const char *string, int64_t number)
{
	Perftools__Profiles__Label *label = make(builder, sizeof(*label));
	size_t capacity = LABELS;
	if (!label)
		return;
	perftools__profiles__label__init(label);
	label->key = string_index(builder, key);
	label->str = string ? string_index(builder, string) : 0;
	label->num = number;
	append(builder, &sample->label, &sample->n_label, &capacity, label);
}

static void add_labels(struct builder *builder, Perftools__Profiles__Sample *sample,
		       const struct sample *from)
{
	const struct model_process *process = &builder->model->processes[from->process];
	sample->label = make(builder, LABELS * sizeof(*sample->label));
	if (!sample->label)
		return;
	add_label(builder, sample, "pid", NULL, process->header.pid);
	add_label(builder, sample, "side", model_side_names[from->side], 0);
	add_label(builder, sample, "kind", model_kind_names[from->kind], 0);
	add_label(builder, sample, "cause", model_cause_names[from->cause], 0);
	add_label(builder, sample, "region",
		  from->region ? export_escaped(from->region) : "[anonymous]", 0);
}

static void add_places(struct builder *builder, Perftools__Profiles__Sample *sample,
		       const struct model_stack *stack)
{
	static const uint32_t none;
	const uint32_t *frames = stack->depth ? stack->frames : &none;
	uint32_t depth = stack->depth ? stack->depth : 1;

	sample->location_id = make(builder, depth * sizeof(*sample->location_id));
	for (uint32_t i = 0; sample->location_id && i < depth; i++) {
		add_location(builder, frames[i]);
		sample->location_id[i] = (uint64_t)frames[i] + 1;
		sample->n_location_id = i + 1;
	}
}

static void add_sample(struct builder *builder, const struct sample *from)
{
	Perftools__Profiles__Profile *profile = &builder->profile;
	Perftools__Profiles__Sample *sample = make(builder, sizeof(*sample));
	int64_t page = builder->model->processes[from->process].header.page_size;
	int64_t writes = (int64_t)from->writes;
	bool copy = model_kind_is_copy(from->kind);

	if (!sample)
		return;
	perftools__profiles__sample__init(sample);
	sample->value = make(builder, VALUES * sizeof(*sample->value));
	if (sample->value) {
		sample->n_value = VALUES;
		sample->value[0] = copy ? writes : 0;
		sample->value[1] = copy ? writes * page : 0;
		sample->value[2] = writes;
		sample->value[3] = writes * page;
		builder->copies |= copy;
	}
	add_places(builder, sample, &builder->model->stacks[from->stack]);
	add_labels(builder, sample, from);
	append(builder, &profile->sample, &profile->n_sample, &builder->sample_capacity, sample);
}

/* ---- the whole ---- */

static void add_types(struct builder *builder)
{
	static const char *const types[VALUES][2] = {{"copies", "count"},
						     {"copied", "bytes"},
						     {"first_writes", "count"},
						     {"first_written", "bytes"}};
	Perftools__Profiles__Profile *profile = &builder->profile;
	size_t capacity = 0;

	for (int i = 0; i < VALUES; i++) {
		Perftools__Profiles__ValueType *type = make(builder, sizeof(*type));
		if (!type)
			return;
		perftools__profiles__value_type__init(type);
		type->type = string_index(builder, types[i][0]);
		type->unit = string_index(builder, types[i][1]);
		append(builder, &profile->sample_type, &profile->n_sample_type, &capacity, type);
	}
	profile->default_sample_type = string_index(builder, types[builder->copies ? 1 : 3][0]);
}

static void add_times(struct builder *builder)
{
	const struct model *model = builder->model;
	uint64_t end = 0, begin = UINT64_MAX;

	for (size_t i = 0; i < model->process_count; i++) {
		const struct model_process *process = &model->processes[i];
		if (process->header.time < begin) {
			begin = process->header.time;
			builder->profile.time_nanos = (int64_t)process->header.wall_time;
		}
		if (process->last_time > end)
			end = process->last_time;
	}
	builder->profile.duration_nanos = end > begin ? (int64_t)(end - begin) : 0;
}

/* Readers take the first mapping for the main program: that of the process that wrote most. */
static void main_program_first(struct builder *builder)
{
	const struct model *model = builder->model;
	const struct model_process *most = NULL;
	Perftools__Profiles__Mapping **mappings = builder->profile.mapping;

	for (size_t i = 0; i < model->process_count; i++)
		if (!most || model->processes[i].write_count > most->write_count)
			most = &model->processes[i];
	for (size_t i = 0; most && i < builder->profile.n_mapping; i++) {
		/* Strings are interned: the same path has the same address. */
		if (model->modules[mappings[i]->id].path != most->exe)
			continue;
		Perftools__Profiles__Mapping *first = mappings[i];
		mappings[i] = mappings[0];
		mappings[0] = first;
		return;
	}
}

static int write_gzipped(FILE *stream, const uint8_t *bytes, size_t length)
{
	int fd = dup(fileno(stream)), error;
	gzFile file = fd < 0 ? NULL : gzdopen(fd, "wb");

	if (!file) {
		if (fd >= 0)
			close(fd);
		return -ENOMEM;
	}
	error = gzwrite(file, bytes, (unsigned)length) == (int)length ? 0 : -EIO;
	if (gzclose(file) != Z_OK && !error)
		error = -EIO;
	return error;
}

static int write_message(struct builder *builder)
{
	size_t length = perftools__profiles__profile__get_packed_size(&builder->profile);
	uint8_t *bytes = length < INT32_MAX ? malloc(length) : NULL;
	int error;

	if (!bytes)
		return -ENOMEM;
	perftools__profiles__profile__pack(&builder->profile, bytes);
	error = write_gzipped(builder->export->stream, bytes, length);
	free(bytes);
	return error;
}

static void free_builder(struct builder *builder)
{
	Perftools__Profiles__Profile *profile = &builder->profile;

	for (size_t i = 0; i < profile->n_sample; i++) {
		Perftools__Profiles__Sample *sample = profile->sample[i];
		for (size_t j = 0; j < sample->n_label; j++)
			free(sample->label[j]);
		free(sample->label);
		free(sample->value);
		free(sample->location_id);
		free(sample);
	}
	for (size_t i = 0; i < profile->n_location; i++) {
		for (size_t j = 0; j < profile->location[i]->n_line; j++)
			free(profile->location[i]->line[j]);
		free(profile->location[i]->line);
		free(profile->location[i]);
	}
	for (size_t i = 0; i < profile->n_function; i++)
		free(profile->function[i]);
	for (size_t i = 0; i < profile->n_mapping; i++)
		free(profile->mapping[i]);
	for (size_t i = 0; i < profile->n_sample_type; i++)
		free(profile->sample_type[i]);
	free(profile->sample);
	free(profile->location);
	free(profile->function);
	free(profile->mapping);
	free(profile->sample_type);
	free(profile->string_table);
	free(builder->has_location);
	free(builder->has_mapping);
	table_free(&builder->strings);
	table_free(&builder->functions);
}

int export_pprof(const struct export *export)
{
	struct builder builder = {.export = export, .model = export->model};
	struct samples samples;
	bool collected = samples_collect(&samples, export->model, export->selection, true);
	int64_t comment;
	int error;

	perftools__profiles__profile__init(&builder.profile);
	builder.has_location = make(&builder, export->model->frame_count);
	builder.has_mapping = make(&builder, export->model->module_count);
	string_index(&builder, "");
	for (size_t i = 0; collected && !builder.failed && i < samples.count; i++)
		add_sample(&builder, &samples.list[i]);
	main_program_first(&builder);
	add_types(&builder);
	add_times(&builder);
	comment = string_index(&builder, "cowspy " COWSPY_VERSION);
	builder.profile.comment = &comment;
	builder.profile.n_comment = 1;
	error = collected && !builder.failed ? write_message(&builder) : -ENOMEM;
	free_builder(&builder);
	samples_free(&samples);
	return error;
}
