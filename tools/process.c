#include "process.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cowspy.h"
#include "observe/maps.h"

bool mapping_is_anonymous(const struct mapping *mapping)
{
	return !mapping->inode && strcmp(mapping->path, "[vdso]") != 0;
}

FILE *process_file(const struct process *process, const char *name)
{
	int fd = openat(process->folder, name, O_RDONLY | O_CLOEXEC);
	return fd < 0 ? NULL : fdopen(fd, "r");
}

/*
 * The main thread may have ended while others run on: its folder then shows no memory, but theirs
 * do.
 */
static void follow_living_thread(struct process *process)
{
	int tasks = openat(process->folder, "task", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	DIR *stream = tasks >= 0 ? fdopendir(tasks) : NULL;
	struct dirent *entry;
	bool found = false;

	while (stream && !found && (entry = readdir(stream))) {
		struct process thread = *process;
		if (entry->d_name[0] == '.')
			continue;
		thread.folder = openat(tasks, entry->d_name, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
		if (thread.folder < 0)
			continue;
		found = !process_ended(&thread);
		close(found ? process->folder : thread.folder);
		if (found)
			process->folder = thread.folder;
	}
	if (stream)
		closedir(stream);
	else if (tasks >= 0)
		close(tasks);
}

int process_open(struct process *process, pid_t pid)
{
	char path[32];
	FILE *file;

	*process = (struct process){.pid = pid};
	snprintf(path, sizeof(path), "/proc/%d", pid);
	process->folder = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (process->folder < 0)
		return errno == ENOENT ? -ESRCH : -errno;
	file = process_file(process, "comm");
	if (file) {
		if (fgets(process->name, sizeof(process->name), file))
			process->name[strcspn(process->name, "\n")] = 0;
		fclose(file);
	}
	if (process_ended(process))
		follow_living_thread(process);
	return 0;
}

static void free_mappings(struct process *process)
{
	for (size_t i = 0; i < process->count; i++)
		free(process->mappings[i].path);
	free(process->mappings);
	process->mappings = NULL;
	process->count = 0;
}

void process_close(struct process *process)
{
	free_mappings(process);
	if (process->folder >= 0)
		close(process->folder);
	process->folder = -1;
}

bool process_status(const struct process *process, const char *field, char *value, size_t size)
{
	FILE *file = process_file(process, "status");
	size_t length = strlen(field);
	char line[512];
	bool found = false;

	if (!file)
		return false;
	while (!found && fgets(line, sizeof(line), file)) {
		if (strncmp(line, field, length) != 0 || line[length] != ':')
			continue;
		line[strcspn(line, "\n")] = 0;
		snprintf(value, size, "%s", line + length + 1 + strspn(line + length + 1, " \t"));
		found = true;
	}
	fclose(file);
	return found;
}

bool process_ended(const struct process *process)
{
	char state[32];
	if (!process_status(process, "State", state, sizeof(state)))
		return true;
	return state[0] == 'Z' || state[0] == 'X';
}

int process_open_pagemap(const struct process *process, struct pagemap *pagemap)
{
	char path[64];
	snprintf(path, sizeof(path), "/proc/self/fd/%d/pagemap", process->folder);
	return pagemap_open(pagemap, path);
}

static bool add_mapping(struct process *process, const struct maps_line *line, uintptr_t from,
			uintptr_t to)
{
	struct mapping *mapping;
	char *path = strndup(line->path, line->path_length);
	void *grown = reallocarray(process->mappings, process->count + 1, sizeof(*mapping));

	if (grown)
		process->mappings = grown;
	if (!grown || !path) {
		free(path);
		return false;
	}
	mapping = &process->mappings[process->count++];
	*mapping = (struct mapping){
		.start = line->start > from ? line->start : from,
		.end = line->end < to ? line->end : to,
		.readable = line->readable,
		.writable = line->writable,
		.executable = line->executable,
		.offset = line->offset,
		.inode = line->inode,
		.device_major = line->device_major,
		.device_minor = line->device_minor,
		.path = path,
	};
	mapping->offset += line->inode ? mapping->start - line->start : 0;
	mapping->clipped = mapping->start != line->start || mapping->end != line->end;
	return true;
}

/* The vsyscall page belongs to the kernel; the pagemap ends below it. */
static bool is_wanted(const struct maps_line *line, uintptr_t from, uintptr_t to)
{
	return !line->shared && line->start < to && line->end > from &&
	       line->start < UINTPTR_MAX / 2;
}

static void read_value(struct mapping *mapping, const char *line)
{
	struct smaps *smaps = &mapping->smaps;
	const struct {
		const char *name;
		uint64_t *value;
	} fields[] = {
		{"Rss:", &smaps->rss},
		{"Private_Clean:", &smaps->private_clean},
		{"Private_Dirty:", &smaps->private_dirty},
		{"Anonymous:", &smaps->anonymous},
		{"AnonHugePages:", &smaps->anonymous_huge},
		{"Swap:", &smaps->swap},
		{"Locked:", &smaps->locked},
	};
	for (size_t i = 0; i < sizeof(fields) / sizeof(fields[0]); i++) {
		size_t length = strlen(fields[i].name);
		if (strncmp(line, fields[i].name, length) == 0)
			*fields[i].value = strtoull(line + length, NULL, 10) * 1024;
	}
	if (strncmp(line, "VmFlags:", 8) == 0)
		mapping->raw = strstr(line, " pf") || strstr(line, " io");
}

int process_read_mappings(struct process *process, uintptr_t from, uintptr_t to)
{
	FILE *file = process_file(process, "smaps");
	struct mapping *current = NULL;
	size_t size = 0;
	char *line = NULL;
	ssize_t length;
	int error = 0;

	if (!file)
		return errno == ENOENT ? -ESRCH : -errno;
	free_mappings(process);
	errno = 0;
	while (!error && (length = getline(&line, &size, file)) > 0) {
		struct maps_line parsed;
		if (line[length - 1] == '\n')
			length--;
		if (maps_parse(line, (size_t)length, &parsed)) {
			bool wanted = is_wanted(&parsed, from, to);
			if (wanted && !add_mapping(process, &parsed, from, to))
				error = -ENOMEM;
			current = wanted ? &process->mappings[process->count - 1] : NULL;
		} else if (current) {
			read_value(current, line);
		}
	}
	if (!error && ferror(file))
		error = errno ? -errno : -EIO;
	free(line);
	fclose(file);
	if (!error && !process->count && process_ended(process))
		error = -ESRCH;
	return error;
}

/* What process_check looks for; mappings and lines are both in the order of addresses. */
struct check {
	struct process *process;
	size_t next;
};

static int check_line(const struct maps_line *line, void *context)
{
	struct check *check = context;
	struct process *process = check->process;

	for (; check->next < process->count; check->next++) {
		struct mapping *mapping = &process->mappings[check->next];
		if (mapping->end <= line->start) {
			mapping->changed = true;
			continue;
		}
		if (mapping->start < line->start) {
			mapping->changed = true;
			continue;
		}
		if (mapping->start >= line->end)
			return 0;
		if (mapping->end > line->end || line->shared || line->inode != mapping->inode ||
		    line->writable != mapping->writable || line->readable != mapping->readable ||
		    (line->inode &&
		     line->offset + (mapping->start - line->start) != mapping->offset))
			mapping->changed = true;
		/* It has grown or shrunk; a clipped one is not expected to fill its line. */
		if (!mapping->clipped &&
		    (mapping->start != line->start || mapping->end != line->end))
			mapping->changed = true;
	}
	return 1;
}

void process_check(struct process *process)
{
	struct check check = {.process = process};
	int fd = openat(process->folder, "maps", O_RDONLY | O_CLOEXEC);

	if (fd >= 0) {
		maps_walk(fd, check_line, &check);
		close(fd);
	}
	if (process_ended(process)) {
		process->exited = true;
		return;
	}
	for (; check.next < process->count; check.next++)
		process->mappings[check.next].changed = true;
}

void process_complain(const char *verb, pid_t pid, int error)
{
	if (error == -ESRCH || error == -ENOENT)
		complain(verb, "no process %d (it has ended, or hidepid of /proc hides it)", pid);
	else if (error == -EACCES || error == -EPERM)
		complain(verb,
			 "process %d may not be read: it belongs to another user, has changed its "
			 "user, or is not dumpable; this needs CAP_SYS_PTRACE (try sudo)",
			 pid);
	else
		complain(verb, "process %d: %s", pid, strerror(-error));
}
