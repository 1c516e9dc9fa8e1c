#include "observe/maps.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <string.h>

#include "base/sys.h"

#define LINE_SIZE (PATH_MAX + 100)

/* What is left of the line being parsed. */
struct cursor {
	const char *next, *end;
};

static int digit_value(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

static bool take_number(struct cursor *cursor, unsigned base, uint64_t *value)
{
	const char *first = cursor->next;
	*value = 0;
	while (cursor->next < cursor->end) {
		int digit = digit_value(*cursor->next);
		if (digit < 0 || digit >= (int)base)
			break;
		if (*value > (UINT64_MAX - (uint64_t)digit) / base)
			return false;
		*value = *value * base + (uint64_t)digit;
		cursor->next++;
	}
	return cursor->next > first;
}

static bool take(struct cursor *cursor, char c)
{
	if (cursor->next == cursor->end || *cursor->next != c)
		return false;
	cursor->next++;
	return true;
}

static bool take_protection(struct cursor *cursor, struct maps_line *line)
{
	const char *flags = cursor->next;
	if (cursor->end - flags < 4)
		return false;
	line->readable = flags[0] == 'r';
	line->writable = flags[1] == 'w';
	line->executable = flags[2] == 'x';
	line->shared = flags[3] == 's';
	cursor->next += 4;
	return (line->shared || flags[3] == 'p') && (line->readable || flags[0] == '-') &&
	       (line->writable || flags[1] == '-') && (line->executable || flags[2] == '-');
}

bool maps_parse(const char *text, size_t length, struct maps_line *line)
{
	struct cursor cursor = {text, text + length};
	uint64_t start, end, major, minor;

	*line = (struct maps_line){0};
	if (!take_number(&cursor, 16, &start) || !take(&cursor, '-') ||
	    !take_number(&cursor, 16, &end) || !take(&cursor, ' ') || start >= end)
		return false;
	if (!take_protection(&cursor, line) || !take(&cursor, ' ') ||
	    !take_number(&cursor, 16, &line->offset) || !take(&cursor, ' '))
		return false;
	if (!take_number(&cursor, 16, &major) || !take(&cursor, ':') ||
	    !take_number(&cursor, 16, &minor) || !take(&cursor, ' ') ||
	    !take_number(&cursor, 10, &line->inode))
		return false;
	if (cursor.next < cursor.end && *cursor.next != ' ')
		return false;
	while (take(&cursor, ' '))
		;
	line->start = start;
	line->end = end;
	line->device_major = (unsigned)major;
	line->device_minor = (unsigned)minor;
	line->path = cursor.next;
	line->path_length = (size_t)(cursor.end - cursor.next);
	return true;
}

bool maps_is_private_memory(const struct maps_line *line)
{
	static const char *const names[] = {"[vdso]", "[vvar]", "[vvar_vclock]", "[vsyscall]"};

	for (unsigned i = 0; i < sizeof(names) / sizeof(*names); i++) {
		if (strlen(names[i]) == line->path_length &&
		    memcmp(names[i], line->path, line->path_length) == 0)
			return false;
	}
	return !line->shared;
}

struct walk {
	maps_line_fn fn;
	void *context;
	int malformed;
	bool in_cut_line; /* dropping the rest of a line that was longer than the buffer */
	size_t filled;
	char buffer[LINE_SIZE];
};

/* Returns nonzero to stop. */
static int walk_line(struct walk *walk, const char *text, size_t length, bool cut)
{
	struct maps_line line;
	if (!maps_parse(text, length, &line)) {
		walk->malformed++;
		return 0;
	}
	line.truncated = cut;
	return walk->fn(&line, walk->context);
}

/* Hand out all complete lines and move the rest to the front. Returns nonzero to stop. */
static int walk_buffer(struct walk *walk)
{
	char *next = walk->buffer, *end = walk->buffer + walk->filled, *newline;

	while ((newline = memchr(next, '\n', (size_t)(end - next)))) {
		bool rest = walk->in_cut_line;
		walk->in_cut_line = false;
		if (!rest && walk_line(walk, next, (size_t)(newline - next), false))
			return 1;
		next = newline + 1;
	}
	walk->filled = (size_t)(end - next);
	memmove(walk->buffer, next, walk->filled);
	if (walk->filled < sizeof(walk->buffer))
		return 0;
	walk->filled = 0;
	if (walk->in_cut_line)
		return 0;
	walk->in_cut_line = true;
	return walk_line(walk, walk->buffer, sizeof(walk->buffer), true);
}

int maps_walk(int fd, maps_line_fn fn, void *context)
{
	struct walk walk;

	walk.fn = fn;
	walk.context = context;
	walk.malformed = 0;
	walk.in_cut_line = false;
	walk.filled = 0;
	for (;;) {
		long n = sys_call3(SYS_read, fd, walk.buffer + walk.filled,
				   sizeof(walk.buffer) - walk.filled);
		if (n == -EINTR)
			continue;
		if (n < 0)
			return (int)n;
		if (n == 0)
			break;
		walk.filled += (size_t)n;
		if (walk_buffer(&walk))
			return walk.malformed;
	}
	if (walk.filled && !walk.in_cut_line)
		walk_line(&walk, walk.buffer, walk.filled, false);
	return walk.malformed;
}

int maps_walk_self(maps_line_fn fn, void *context)
{
	long fd = sys_call4(SYS_openat, AT_FDCWD, "/proc/thread-self/maps", O_RDONLY | O_CLOEXEC,
			    0);
	int result;

	if (sys_failed(fd))
		return (int)fd;
	result = maps_walk((int)fd, fn, context);
	sys_call1(SYS_close, fd);
	return result;
}
