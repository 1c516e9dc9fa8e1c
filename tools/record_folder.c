#include <dirent.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "perf_map.h"
#include "record.h"
#include "trace_reader.h"

struct recorded_file {
	char *name;
	uint32_t pid;
	struct perf_map_owner owner;
	uint64_t offset; /* read so far */
	bool closed;     /* its process has ended */
};

static bool is_trace(const char *name)
{
	size_t length = strlen(name);
	return length > 6 && strcmp(name + length - 6, ".trace") == 0 &&
	       strcmp(name, "children.trace") != 0;
}

static struct recorded_file *file_find(struct recorded *recorded, const char *name)
{
	for (size_t i = 0; i < recorded->count; i++)
		if (strcmp(recorded->files[i].name, name) == 0)
			return &recorded->files[i];
	struct recorded_file *files = realloc(recorded->files,
					      (recorded->count + 1) * sizeof(*files));
	if (!files)
		return NULL;
	recorded->files = files;
	files[recorded->count] = (struct recorded_file){.name = strdup(name)};
	return files[recorded->count].name ? &files[recorded->count++] : NULL;
}

static void count_write(struct recorded *recorded, const struct trace_first_write *write)
{
	recorded->events++;
	if (write->kind == TRACE_KIND_FILL)
		recorded->touched++;
	else if (write->kind != TRACE_KIND_REUSE)
		recorded->copied++;
}

/* On from where it was left. */
static void read_on(struct recorded *recorded, struct recorded_file *file, int fd)
{
	const struct trace_record *record;
	struct trace_reader reader;
	if (trace_reader_start(&reader, fd))
		return;
	if (file->offset)
		reader.offset = file->offset;
	file->pid = reader.header.pid;
	file->owner.uid = geteuid();
	file->owner.since = (int64_t)(reader.header.wall_time / 1000000000);
	while ((record = trace_reader_next(&reader))) {
		if (record->type == TRACE_FIRST_WRITE)
			count_write(recorded, (const struct trace_first_write *)record);
		file->closed |= record->type == TRACE_CLOSE;
	}
	file->offset = reader.offset;
	trace_reader_end(&reader);
}

void recorded_update(struct recorded *recorded)
{
	DIR *folder = opendir(recorded->folder);
	struct dirent *entry;
	while (folder && (entry = readdir(folder))) {
		struct recorded_file *file = is_trace(entry->d_name)
						     ? file_find(recorded, entry->d_name)
						     : NULL;
		if (!file || file->closed)
			continue;
		int fd = openat(dirfd(folder), file->name, O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
		if (fd < 0)
			continue;
		read_on(recorded, file, fd);
		close(fd);
	}
	if (folder)
		closedir(folder);
}

void recorded_keep_maps(const struct recorded *recorded)
{
	for (size_t i = 0; i < recorded->count; i++) {
		const struct recorded_file *file = &recorded->files[i];
		if (!file->closed && file->pid)
			perf_map_keep(recorded->folder, file->name, file->pid, &file->owner);
	}
}

static int compare_numbers(const void *left, const void *right)
{
	unsigned long a = *(const unsigned long *)left, b = *(const unsigned long *)right;
	return a < b ? -1 : a > b;
}

size_t recorded_processes(const struct recorded *recorded)
{
	unsigned long *pids = calloc(recorded->count + 1, sizeof(*pids));
	size_t processes = 0;
	if (!pids)
		return recorded->count;
	for (size_t i = 0; i < recorded->count; i++)
		pids[i] = strtoul(recorded->files[i].name, NULL, 10);
	qsort(pids, recorded->count, sizeof(*pids), compare_numbers);
	for (size_t i = 0; i < recorded->count; i++)
		processes += !i || pids[i] != pids[i - 1];
	free(pids);
	return processes;
}

void recorded_release(struct recorded *recorded)
{
	for (size_t i = 0; i < recorded->count; i++)
		free(recorded->files[i].name);
	free(recorded->files);
}
