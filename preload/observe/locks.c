#include "observe/locks.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/mman.h>

#include "base/sys.h"
#include "observe/maps.h"

#define BUFFER_SIZE 4096

/*
 * To invalidate locked memory is refused, to invalidate other memory does nothing in Linux:
 * msync(2). The only question about locks that the kernel answers without walking page tables.
 */
bool locks_any(uintptr_t start, uintptr_t end)
{
	return sys_call3(SYS_msync, start, end - start, MS_INVALIDATE) == -EBUSY;
}

struct walk {
	locks_fn fn;
	void *context;
	uintptr_t start, end; /* of the mapping whose lines are being read */
};

/* "Locked:             64 kB" */
static uint64_t kilobytes(const char *text, size_t length)
{
	uint64_t value = 0;
	for (size_t i = 0; i < length; i++)
		if (text[i] >= '0' && text[i] <= '9')
			value = value * 10 + (uint64_t)(text[i] - '0');
	return value;
}

static void take_line(struct walk *walk, const char *text, size_t length)
{
	static const char key[] = "Locked:";
	const size_t key_length = sizeof(key) - 1;
	struct maps_line line;

	if (length > key_length && !memcmp(text, key, key_length)) {
		uint64_t locked = kilobytes(text + key_length, length - key_length) << 10;
		if (locked)
			walk->fn(walk->start, walk->end, locked, walk->context);
	} else if (maps_parse(text, length, &line)) {
		walk->start = line.start;
		walk->end = line.end;
	}
}

/* Hands out complete lines and moves the rest to the front; returns its length. */
static size_t take_lines(struct walk *walk, char *buffer, size_t filled)
{
	char *next = buffer, *end = buffer + filled, *newline;

	while ((newline = memchr(next, '\n', (size_t)(end - next)))) {
		take_line(walk, next, (size_t)(newline - next));
		next = newline + 1;
	}
	/* A line that fills the buffer is a long path: its head is enough. */
	if (next == buffer && filled == BUFFER_SIZE) {
		take_line(walk, next, filled);
		next = end;
	}
	memmove(buffer, next, (size_t)(end - next));
	return (size_t)(end - next);
}

int locks_walk(locks_fn fn, void *context)
{
	struct walk walk = {.fn = fn, .context = context};
	char buffer[BUFFER_SIZE];
	size_t filled = 0;
	long fd = sys_call4(SYS_openat, AT_FDCWD, "/proc/self/smaps", O_RDONLY | O_CLOEXEC, 0);
	long n;

	if (sys_failed(fd))
		return (int)fd;
	while ((n = sys_call3(SYS_read, fd, buffer + filled, sizeof(buffer) - filled)) > 0 ||
	       n == -EINTR)
		if (n > 0)
			filled = take_lines(&walk, buffer, filled + (size_t)n);
	sys_call1(SYS_close, fd);
	return (int)n;
}
