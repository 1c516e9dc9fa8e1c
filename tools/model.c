#include "model.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "model_read.h"
#include "perf_map.h"

#define COMM_MOST 15 /* characters of the kernel's name for a process */

const char *const model_side_names[SIDES] = {"none", "parent", "child"};
const char *const model_kind_names[MODEL_KINDS] = {"unknown", "file",  "zero", "fill",
						   "fork",    "reuse", "?"};
const char *const model_cause_names[MODEL_CAUSES] = {"write", "syscall", "lock", "populate", "?"};

/* Index 0 of what is counted from 1. */
static void add_first(struct model *model)
{
	if (array_grow(&model->modules, 0, &model->module_capacity, sizeof(*model->modules)) &&
	    array_grow(&model->frames, 0, &model->frame_capacity, sizeof(*model->frames)) &&
	    array_grow(&model->stacks, 0, &model->stack_capacity, sizeof(*model->stacks))) {
		model->modules[model->module_count++] = (struct model_module){
			.process = MODEL_NONE};
		model->frames[model->frame_count++] = (struct model_frame){0};
		model->stacks[model->stack_count++] = (struct model_stack){0};
	}
}

void model_start(struct model *model)
{
	*model = (struct model){0};
	add_first(model);
}

void model_free_process(struct model_process *process)
{
	free(process->writes);
	free(process->mappings);
	free(process->spans);
	if (process->data)
		ranges_free(process->data);
	free(process->data);
	free(process->forks);
	free(process->given_back);
	free(process->labels);
	free(process->limits);
	free(process->losses);
	for (size_t i = 0; i < process->snapshot_count; i++) {
		free(process->snapshots[i].mappings);
		free(process->snapshots[i].runs);
	}
	free(process->snapshots);
}

static void free_contents(struct model *model)
{
	for (size_t i = 0; i < model->process_count; i++) {
		model_free_process(&model->processes[i]);
		if (model->perf_maps)
			perf_map_free(model->perf_maps[i]);
	}
	free(model->perf_maps);
	free(model->children);
	free(model->processes);
	free(model->order);
	free(model->modules);
	free(model->frames);
	free(model->stacks);
	table_free(&model->module_index);
	table_free(&model->frame_index);
	table_free(&model->stack_index);
}

void model_restart(struct model *model)
{
	const struct model kept = {.strings = model->strings,
				   .symbolizer = model->symbolizer,
				   .without_names = model->without_names};
	free_contents(model);
	*model = kept;
	add_first(model);
}

void model_free(struct model *model)
{
	free_contents(model);
	symbolizer_free(model->symbolizer);
	intern_free(&model->strings);
}

/* ---- files ---- */

/* Whatever lies in a folder, opening it may neither wait nor act. */
static int open_file(int folder, const char *path)
{
	return openat(folder, path, O_RDONLY | O_NONBLOCK | O_CLOEXEC | O_NOCTTY);
}

static int note_problem(struct model *model, const char *name, int error)
{
	if (error && error != -ENOMSG) {
		model->problem = intern_string(&model->strings, name);
		model->problem_error = error;
	}
	return error;
}

static int add_opened(struct model *model, int fd, const char *name)
{
	struct stat status;
	int error = -ENOMSG;
	if (fstat(fd, &status) != 0)
		error = -errno;
	else if (S_ISREG(status.st_mode))
		error = model_add_file(model, fd, name);
	close(fd);
	return error;
}

static int add_folder(struct model *model, int folder)
{
	struct dirent **entries;
	size_t before = model->process_count;
	int count = scandirat(folder, ".", &entries, NULL, alphasort), error = 0;

	if (count < 0)
		return -errno;
	for (int i = 0; i < count; i++) {
		const char *name = entries[i]->d_name;
		int fd = error == -ENOMEM || strcmp(name, ".") == 0 || strcmp(name, "..") == 0
				 ? -1
				 : open_file(folder, name);
		if (fd >= 0) {
			error = note_problem(model, name, add_opened(model, fd, name));
			model->skipped += error == -ENOMSG;
		}
		free(entries[i]);
	}
	free(entries);
	if (error == -ENOMEM)
		return error;
	if (model->process_count > before || model->children_count)
		return 0;
	return model->problem ? model->problem_error : -ENOMSG;
}

int model_add(struct model *model, const char *path)
{
	struct stat status;
	int fd = open_file(AT_FDCWD, path), error;

	if (fd < 0 || fstat(fd, &status) != 0)
		return note_problem(model, path, -errno);
	if (!S_ISDIR(status.st_mode))
		return note_problem(model, path, add_opened(model, fd, path));
	model->folder = intern_string(&model->strings, path);
	error = add_folder(model, fd);
	model->folder = NULL;
	close(fd);
	return error;
}

/* ---- questions ---- */

const struct model_snapshot *model_last_snapshot(const struct model_process *process)
{
	for (size_t i = process->snapshot_count; i-- > 0;)
		if (process->snapshots[i].complete)
			return &process->snapshots[i];
	return NULL;
}

uint64_t model_fork_time(const struct model_process *process, uint32_t epoch)
{
	size_t low = 0, high = process->fork_count;

	if (epoch <= process->header.epoch)
		return process->header.flags & TRACE_FORKED ? process->header.fork_time : 0;
	while (low < high) {
		size_t middle = low + (high - low) / 2;
		if (process->forks[middle].epoch < epoch)
			low = middle + 1;
		else
			high = middle;
	}
	return low < process->fork_count && process->forks[low].epoch == epoch
		       ? process->forks[low].time
		       : 0;
}

/* The kernel cuts names, exe knows the rest; and it follows links: redis-server is redis-check-rdb. */
const char *model_process_name(const struct model_process *process)
{
	const char *slash = process->exe ? strrchr(process->exe, '/') : NULL;
	const char *file = slash && slash[1] ? slash + 1 : process->exe;

	if (!process->name || !process->name[0])
		return file ? file : "?";
	return file && strncmp(file, process->name, strlen(process->name)) == 0 &&
			       strlen(process->name) >= COMM_MOST
		       ? file
		       : process->name;
}
