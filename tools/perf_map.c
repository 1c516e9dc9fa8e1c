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

static FILE *open_map(const char *path, int64_t since)
{
	struct stat status;
	int fd = open(path, O_RDONLY | O_NONBLOCK | O_NOFOLLOW | O_CLOEXEC | O_NOCTTY);
	FILE *stream;

	if (fd < 0)
		return NULL;
	if (fstat(fd, &status) != 0 || !S_ISREG(status.st_mode) || status.st_mtime < since ||
	    (status.st_uid != geteuid() && status.st_uid != 0 && geteuid() != 0)) {
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

struct perf_map *perf_map_read(const char *path, int64_t since, struct intern *strings)
{
	struct perf_map *map = calloc(1, sizeof(*map));
	FILE *stream = map ? open_map(path, since) : NULL;
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
