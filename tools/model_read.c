/* The records of one trace file, one by one, into a process of the model. */
#include "model_read.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

struct load {
	struct model *model;
	struct model_process process;
	struct model_code code;
	struct model_snapshots snapshots;
	struct ranges tracked; /* values: indices of process.mappings */
	struct ranges named;   /* values: indices of names */
	const char **names;
	size_t name_count, name_capacity;
	struct trace_change *changes; /* in order of the file: later ones win */
	size_t change_count, change_capacity;
};

/* Add to a list of the process: its array, and what begins with the name of one element. */
#define PUSH(load, array, one, element) \
	push(&(load)->process.array, &(load)->process.one##_count, \
	     &(load)->process.one##_capacity, &(element), sizeof(element))

static bool push(void *array, size_t *count, size_t *capacity, const void *element, size_t size)
{
	if (*count >= UINT32_MAX - 1 || !array_grow(array, *count, capacity, size))
		return false;
	memcpy(*(char **)array + (*count)++ * size, element, size);
	return true;
}

/* Into *kept, NULL for an empty string. */
static bool keep(struct load *load, const char *bytes, size_t length, const char **kept)
{
	*kept = length ? intern_bytes(&load->model->strings, bytes, length) : NULL;
	return *kept || !length;
}

/* ---- records ---- */

static bool read_program(struct load *load, const struct trace_program *record)
{
	struct model_process *process = &load->process;
	uint32_t directory = record->exe_length;
	uint32_t arguments = directory + record->directory_length;
	uint32_t name = arguments + record->arguments_length;

	process->arguments_length = record->arguments_length;
	return keep(load, trace_tail(record, record->head, 0), record->exe_length, &process->exe) &&
	       keep(load, trace_tail(record, record->head, directory), record->directory_length,
		    &process->directory) &&
	       keep(load, trace_tail(record, record->head, arguments), record->arguments_length,
		    &process->arguments) &&
	       keep(load, trace_tail(record, record->head, name), record->name_length,
		    &process->name);
}

static bool name_range(struct load *load, const struct trace_mapping *record, const char *name)
{
	uint32_t index = (uint32_t)load->name_count;
	return push(&load->names, &load->name_count, &load->name_capacity, &name, sizeof(name)) &&
	       ranges_set(&load->named, record->start, record->end, index);
}

static bool track(struct load *load, const struct trace_mapping *record, const char *name)
{
	const struct model_mapping mapping = {
		.name = name,
		.start = record->start,
		.end = record->end,
		.flags = record->flags,
		.protection = record->protection,
	};
	return PUSH(load, mappings, mapping, mapping) &&
	       ranges_clear(&load->named, record->start, record->end) &&
	       ranges_set(&load->tracked, record->start, record->end,
			  (uint32_t)load->process.mapping_count - 1);
}

static bool read_mapping(struct load *load, const struct trace_mapping *record)
{
	const char *name;

	switch (record->action) {
	case TRACE_ADD:
		return keep(load, trace_tail(record, record->head, 0), record->path_length,
			    &name) &&
		       track(load, record, name);
	case TRACE_NAME:
		return keep(load, trace_tail(record, record->head, 0), record->path_length,
			    &name) &&
		       (!name || name_range(load, record, name));
	case TRACE_REMOVE:
		return ranges_clear(&load->tracked, record->start, record->end) &&
		       ranges_clear(&load->named, record->start, record->end);
	default: return true;
	}
}

/* The mapping that holds an address now; it takes the name that the place has now. */
static uint32_t mapping_at(struct load *load, uint64_t address)
{
	const struct range *range = ranges_find(&load->tracked, address);
	struct model_mapping *mapping;

	if (!range)
		return 0;
	mapping = &load->process.mappings[range->value];
	if (!mapping->name) {
		const struct range *name = ranges_find(&load->named, address);
		if (name)
			mapping->name = load->names[name->value];
	}
	return range->value;
}

static bool read_first_write(struct load *load, const struct trace_first_write *record)
{
	const struct model_write write = {
		.page = record->page,
		.time = record->time,
		.stack = record->stack, /* its id for now */
		.mapping = mapping_at(load, record->page),
		.epoch = record->epoch,
		.thread = record->thread,
		.event = record->event,
		.syscall = record->syscall,
		.kind = record->kind,
		.cause = record->cause,
		.flags = (uint8_t)record->flags,
		.offset = record->offset <= load->process.header.page_size
				  ? (uint16_t)record->offset
				  : 0,
	};
	if (load->process.last_time < record->time)
		load->process.last_time = record->time;
	return PUSH(load, writes, write, write);
}

static bool read_label(struct load *load, const struct trace_label *record)
{
	struct model_label label = {
		.time = record->time, .thread = record->thread, .epoch = record->epoch};
	label.text = intern_bytes(&load->model->strings, trace_tail(record, record->head, 0),
				  record->length);
	return label.text && PUSH(load, labels, label, label);
}

static bool read_given_back(struct load *load, const struct trace_given_back *record)
{
	const struct model_given_back range = {.time = record->time,
					       .start = record->start,
					       .end = record->end,
					       .epoch = record->epoch,
					       .flags = record->flags};
	return PUSH(load, given_back, given_back, range);
}

static bool read_limit(struct load *load, const struct trace_limit *record)
{
	const struct model_limit limit = {.time = record->time,
					  .start = record->start,
					  .end = record->end,
					  .reason = record->reason};
	return PUSH(load, limits, limit, limit);
}

static bool read_lost(struct load *load, const struct trace_lost *record)
{
	const struct model_loss loss = {.time = record->time,
					.count = record->count,
					.reason = record->reason,
					.error = record->error};
	return PUSH(load, losses, loss, loss);
}

static bool read_fork(struct load *load, const struct trace_fork *record)
{
	const struct model_fork fork = {.time = record->time,
					.done = record->done,
					.child = record->child,
					.epoch = record->epoch};
	return PUSH(load, forks, fork, fork);
}

static bool read_changes(struct load *load, const struct trace_changes *record)
{
	bool done = true;
	for (uint32_t i = 0; done && i < record->count; i++)
		done = push(&load->changes, &load->change_count, &load->change_capacity,
			    &record->changes[i], sizeof(record->changes[i]));
	return done;
}

static bool read_close(struct load *load, const struct trace_close *record)
{
	load->process.closed = true;
	load->process.close = *record;
	if (load->process.last_time < record->time)
		load->process.last_time = record->time;
	return true;
}

static bool read_record(struct load *load, const struct trace_record *record)
{
	const void *as = record;

	switch (record->type) {
	case TRACE_PROGRAM: return read_program(load, as);
	case TRACE_OPTIONS: load->process.options = *(const struct trace_options *)as; return true;
	case TRACE_MODULE: return code_module(&load->code, as);
	case TRACE_MAPPING: return read_mapping(load, as);
	case TRACE_STACK: return code_stack(&load->code, as);
	case TRACE_FIRST_WRITE: return read_first_write(load, as);
	case TRACE_FORK: return read_fork(load, as);
	case TRACE_GIVEN_BACK: return read_given_back(load, as);
	case TRACE_LABEL: return read_label(load, as);
	case TRACE_LIMIT: return read_limit(load, as);
	case TRACE_LOST: return read_lost(load, as);
	case TRACE_SNAPSHOT: return snapshots_begin(&load->snapshots, as);
	case TRACE_SNAPSHOT_MAPPING: return snapshots_mapping(&load->snapshots, as);
	case TRACE_SNAPSHOT_RUNS: return snapshots_runs(&load->snapshots, as);
	case TRACE_SNAPSHOT_END: return snapshots_end(&load->snapshots, as);
	case TRACE_COST: return snapshots_cost(&load->snapshots, as);
	case TRACE_CLOSE: return read_close(load, as);
	case TRACE_CHANGES: return read_changes(load, as);
	default: return true;
	}
}

/* ---- a file ---- */

/* A name may come after the last first write of its mapping. */
static void name_mappings(struct load *load)
{
	for (size_t i = 1; i < load->process.mapping_count; i++) {
		const struct range *range = ranges_find(&load->tracked,
							load->process.mappings[i].start);
		if (range && range->value == i)
			mapping_at(load, load->process.mappings[i].start);
	}
}

static bool set_changes(struct load *load)
{
	struct model_process *process = &load->process;
	struct table events = {0};
	bool done = true;

	for (size_t i = 0; load->change_count && done && i < process->write_count; i++)
		done = table_set(&events, process->writes[i].event, (uint32_t)i);
	for (size_t i = 0; done && i < load->change_count; i++) {
		const struct trace_change *change = &load->changes[i];
		uint32_t index = change->event ? table_get(&events, change->event) : TABLE_NONE;
		if (index != TABLE_NONE && change->bytes <= process->header.page_size &&
		    change->bytes < UINT16_MAX)
			process->writes[index].changed = (uint16_t)(change->bytes + 1);
	}
	table_free(&events);
	return done;
}

static bool finish(struct load *load)
{
	struct model_process *process = &load->process;

	name_mappings(load);
	snapshots_finish(&load->snapshots);
	if (!code_finish(&load->code))
		return false;
	for (size_t i = 0; i < process->write_count; i++)
		process->writes[i].stack = code_find(&load->code, process->writes[i].stack);
	process->spans = load->code.spans;
	process->span_count = load->code.span_count;
	load->code.spans = NULL;
	return set_changes(load);
}

static bool read_all(struct load *load, struct trace_reader *reader)
{
	static const struct model_mapping none;
	const struct trace_record *record;

	if (!PUSH(load, mappings, mapping, none))
		return false;
	while ((record = trace_reader_next(reader)))
		if (!read_record(load, record))
			return false;
	load->process.damage = reader->damage;
	return finish(load);
}

static uid_t owner_of_file(int fd)
{
	struct stat status;
	return fstat(fd, &status) == 0 ? status.st_uid : geteuid();
}

/* ---- sums of children ---- */

static struct model_children *children_of(struct model *model, const char *command)
{
	const struct model_children fresh = {.command = command};

	for (size_t i = 0; i < model->children_count; i++)
		if (model->children[i].command == command)
			return &model->children[i];
	return command && push(&model->children, &model->children_count, &model->children_capacity,
			       &fresh, sizeof(fresh))
		       ? &model->children[model->children_count - 1]
		       : NULL;
}

static bool add_children(struct model *model, const struct trace_children *record)
{
	size_t length = strnlen(record->command, sizeof(record->command));
	struct model_children *children = children_of(
		model, intern_bytes(&model->strings, record->command, length));
	struct trace_children *sums;

	if (!children)
		return false;
	sums = &children->sums;
	sums->processes += record->processes;
	sums->execs += record->execs;
	sums->events += record->events;
	sums->copied += record->copied;
	sums->attributed += record->attributed;
	sums->reused += record->reused;
	if (sums->most < record->most)
		sums->most = record->most;
	for (unsigned i = 0; i < 8; i++) {
		sums->kinds[i] += record->kinds[i];
		sums->causes[i] += record->causes[i];
	}
	return true;
}

static int add_totals(struct model *model, struct trace_reader *reader)
{
	const struct trace_record *record;
	bool done = true;

	while (done && (record = trace_reader_next(reader)))
		if (record->type == TRACE_CHILDREN)
			done = add_children(model, (const struct trace_children *)record);
	for (size_t i = 0; i < model->children_count; i++)
		model->children[i].page_size = reader->header.page_size;
	if (reader->damage.what) {
		model->problem = intern_string(&model->strings, "children.trace");
		model->problem_error = -EBADMSG;
	}
	trace_reader_end(reader);
	return done ? 0 : -ENOMEM;
}

int model_add_file(struct model *model, int fd, const char *name)
{
	struct trace_reader reader;
	struct load load = {.model = model};
	int error = trace_reader_start(&reader, fd);
	bool read;

	if (error)
		return error;
	if (reader.header.flags & TRACE_TOTALS)
		return add_totals(model, &reader);
	load.process.file = intern_string(&model->strings, name);
	load.process.folder = model->folder;
	load.process.owner = owner_of_file(fd);
	load.process.header = reader.header;
	load.process.last_time = reader.header.time;
	load.code.model = model;
	load.code.process = (uint32_t)model->process_count;
	load.snapshots.process = &load.process;
	load.snapshots.strings = &model->strings;
	read = load.process.file && read_all(&load, &reader) &&
	       push(&model->processes, &model->process_count, &model->process_capacity,
		    &load.process, sizeof(load.process));
	if (!read)
		model_free_process(&load.process);
	trace_reader_end(&reader);
	code_free(&load.code);
	table_free(&load.snapshots.numbers);
	ranges_free(&load.tracked);
	ranges_free(&load.named);
	free(load.names);
	free(load.changes);
	return read ? 0 : -ENOMEM;
}
