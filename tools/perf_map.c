#include "perf_map.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "table.h"

#define LINE_MOST 4096

static bool is_trusted(const struct stat *status, const struct perf_map_owner *owner)
{
	return status->st_mtime >= owner->since && status->st_nlink == 1 &&
	       !(status->st_mode & (S_IWGRP | S_IWOTH)) &&
	       (status->st_uid == owner->uid || status->st_uid == 0);
}

static FILE *open_map(const char *path, const struct perf_map_owner *owner)
{
	struct stat status;
	int fd = open(path, O_RDONLY | O_NONBLOCK | O_NOFOLLOW | O_CLOEXEC | O_NOCTTY);
	FILE *stream;

	if (fd < 0)
		return NULL;
	if (fstat(fd, &status) != 0 || !S_ISREG(status.st_mode) ||
	    (owner && !is_trusted(&status, owner))) {
		close(fd);
		return NULL;
	}
	stream = fdopen(fd, "r");
	if (!stream)
		close(fd);
	return stream;
}

/* Code that was thrown away gave its place to later code: the last line wins. */
static void add_line(struct perf_map *map, char *line, struct intern *strings)
{
	char *end;
	uint64_t start, size;
	const char *name;

	line[strcspn(line, "\n")] = 0;
	start = strtoull(line, &end, 16);
	if (end == line || *end != ' ')
		return;
	line = end + 1;
	size = strtoull(line, &end, 16);
	if (end == line || *end != ' ' || !end[1] || !size || start + size < start)
		return;
	name = intern_string(strings, end + 1);
	if (name && array_grow(&map->names, map->count, &map->capacity, sizeof(*map->names)) &&
	    ranges_set(&map->code, start, start + size, (uint32_t)map->count))
		map->names[map->count++] = name;
}

struct perf_map *perf_map_read(const char *path, const struct perf_map_owner *owner,
			       struct intern *strings)
{
	struct perf_map *map = calloc(1, sizeof(*map));
	FILE *stream = map ? open_map(path, owner) : NULL;
	char line[LINE_MOST];
	bool whole = true;

	if (!stream)
		return map;
	while (fgets(line, sizeof(line), stream)) {
		/* Only the beginning of a line that is longer. */
		if (whole)
			add_line(map, line, strings);
		whole = strchr(line, '\n') || strlen(line) + 1 < sizeof(line);
	}
	fclose(stream);
	return map;
}

void perf_map_free(struct perf_map *map)
{
	if (!map)
		return;
	ranges_free(&map->code);
	free(map->names);
	free(map);
}

const char *perf_map_find(const struct perf_map *map, uint64_t address)
{
	const struct range *range = ranges_find(&map->code, address);
	return range ? map->names[range->value] : NULL;
}

/* ---- copies ---- */

char *perf_map_beside(const char *folder, const char *trace)
{
	static const char suffix[] = ".trace";
	size_t length = strlen(trace);
	char *path;

	if (length < sizeof(suffix) || strcmp(trace + length - sizeof(suffix) + 1, suffix) != 0)
		return NULL;
	if (asprintf(&path, "%s%s%.*s.perf-map", folder ? folder : "", folder ? "/" : "",
		     (int)(length - sizeof(suffix) + 1), trace) < 0)
		return NULL;
	return path;
}

static void copy_lines(FILE *from, const char *path)
{
	int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
	FILE *to = fd >= 0 ? fdopen(fd, "w") : NULL;
	char line[LINE_MOST];

	while (to && fgets(line, sizeof(line), from))
		fputs(line, to);
	if (to)
		fclose(to);
	else if (fd >= 0)
		close(fd);
}

void perf_map_keep(const char *folder, const char *trace, uint32_t pid,
		   const struct perf_map_owner *owner)
{
	char path[48], *beside = perf_map_beside(folder, trace);
	FILE *map;

	snprintf(path, sizeof(path), "/tmp/perf-%u.map", pid);
	map = beside ? open_map(path, owner) : NULL;
	if (map) {
		copy_lines(map, beside);
		fclose(map);
	}
	free(beside);
}
