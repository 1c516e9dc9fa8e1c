/* sources: preload/observe/maps.c preload/base/sys.c */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include <cmocka.h>

#include "observe/maps.h"

#define PAGE 4096

/* What a walk saw. */
struct seen {
	unsigned lines;
	unsigned stop_after;
	uintptr_t wanted;
	bool found;
	struct maps_line line; /* the wanted or the last one, path copied */
	char path[8192];
};

static int see(const struct maps_line *line, void *context)
{
	struct seen *seen = context;
	seen->lines++;
	if (!seen->wanted || (line->start <= seen->wanted && seen->wanted < line->end)) {
		seen->found = true;
		seen->line = *line;
		memcpy(seen->path, line->path, line->path_length);
		seen->path[line->path_length] = 0;
	}
	return seen->stop_after && seen->lines == seen->stop_after;
}

static void parse(const char *text, struct maps_line *line)
{
	assert_true(maps_parse(text, strlen(text), line));
}

static void test_parse(void **state)
{
	struct maps_line line;
	(void)state;
	parse("7f00-8f00 rw-p 00001000 fd:0a 1234                       /usr/lib/a b.so (deleted)",
	      &line);
	assert_int_equal(line.start, 0x7f00);
	assert_int_equal(line.end, 0x8f00);
	assert_true(line.readable && line.writable && !line.executable && !line.shared);
	assert_int_equal(line.offset, 0x1000);
	assert_int_equal(line.device_major, 0xfd);
	assert_int_equal(line.device_minor, 0x0a);
	assert_int_equal(line.inode, 1234);
	assert_int_equal(line.path_length, strlen("/usr/lib/a b.so (deleted)"));
	assert_memory_equal(line.path, "/usr/lib/a b.so (deleted)", line.path_length);
	parse("7f00-8f00 ---s 00000000 00:00 0 ", &line);
	assert_true(line.shared && !line.readable);
	assert_int_equal(line.path_length, 0);
	parse("ffffffffff600000-ffffffffff601000 --xp 0 0:0 0 [vsyscall]", &line);
	assert_true(line.executable);
}

static void test_malformed_lines(void **state)
{
	static const char *const lines[] = {
		"",
		"x",
		"7f00",
		"7f00-",
		"7f00-8f00",
		"7f00-8f00 rw-p",
		"8f00-7f00 rw-p 0 0:0 0",
		"7f00-8f00 rw-q 0 0:0 0",
		"7f00-8f00 xw-p 0 0:0 0",
		"7f00-8f00 rw-p 0 0-0 0",
		"7f00-8f00 rw-p 0 0:0 x",
		"7f00-8f00 rw-p 0 0:0 0x",
		"11112222333344445-211112222333344445 rw-p 0 0:0 0",
	};
	struct maps_line line;
	(void)state;
	for (size_t i = 0; i < sizeof(lines) / sizeof(lines[0]); i++)
		assert_false(maps_parse(lines[i], strlen(lines[i]), &line));
}

/* Walk a text that arrives through a pipe in pieces of `piece` bytes. */
static int walk_pieces(const char *text, size_t length, size_t piece, struct seen *seen)
{
	int ends[2], result;
	pid_t child;

	assert_int_equal(pipe(ends), 0);
	child = fork();
	if (!child) {
		close(ends[0]);
		for (size_t i = 0; i < length; i += piece) {
			size_t n = length - i < piece ? length - i : piece;
			if (write(ends[1], text + i, n) < 0)
				_exit(1);
		}
		_exit(0);
	}
	close(ends[1]);
	result = maps_walk(ends[0], see, seen);
	close(ends[0]);
	return result;
}

static void test_partial_reads_and_skipped_lines(void **state)
{
	static const char text[] = "1000-2000 r--p 0 0:0 0 /a\n"
				   "not a line\n"
				   "\n"
				   "3000-5000 rw-p 0 0:0 0\n"
				   "6000-7000 rw-p 0 0:0 0 /last without newline";
	(void)state;
	for (size_t piece = 1; piece < sizeof(text); piece += 6) {
		struct seen seen = {0};
		assert_int_equal(walk_pieces(text, sizeof(text) - 1, piece, &seen), 2);
		assert_int_equal(seen.lines, 3);
		assert_int_equal(seen.line.start, 0x6000);
		assert_string_equal(seen.path, "/last without newline");
	}
}

static void test_overlong_line_is_cut_not_lost(void **state)
{
	static char text[20000];
	struct seen seen = {.wanted = 0x1000};
	int length = sprintf(text, "1000-2000 r--p 0 0:0 0 /");
	(void)state;
	memset(text + length, 'x', 15000);
	length += 15000;
	length += sprintf(text + length, "\n3000-5000 rw-p 0 0:0 0 /b\n");
	assert_int_equal(walk_pieces(text, (size_t)length, 1000, &seen), 0);
	assert_int_equal(seen.lines, 2);
	assert_true(seen.line.truncated);
	assert_int_equal(seen.line.end, 0x2000);
	assert_int_equal(seen.path[4000], 'x');
}

static void test_stop(void **state)
{
	struct seen seen = {.stop_after = 2};
	(void)state;
	assert_int_equal(maps_walk_self(see, &seen), 0);
	assert_int_equal(seen.lines, 2);
}

static void test_walk_error(void **state)
{
	struct seen seen = {0};
	(void)state;
	assert_true(maps_walk(-1, see, &seen) < 0);
}

static void test_self(void **state)
{
	char *anonymous = mmap(NULL, 3 * PAGE, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	struct seen seen = {.wanted = (uintptr_t)anonymous + PAGE};
	(void)state;
	assert_int_equal(mprotect(anonymous + PAGE, PAGE, PROT_READ | PROT_WRITE), 0);
	assert_int_equal(maps_walk_self(see, &seen), 0);
	assert_true(seen.found);
	assert_int_equal(seen.line.start, (uintptr_t)anonymous + PAGE);
	assert_int_equal(seen.line.end, (uintptr_t)anonymous + 2 * PAGE);
	assert_true(seen.line.writable && !seen.line.shared);
	munmap(anonymous, 3 * PAGE);
}

static void test_deleted_file_keeps_its_mark(void **state)
{
	char name[] = "/tmp/maps.XXXXXX", expected[64];
	int fd = mkstemp(name);
	void *map;
	struct seen seen = {0};
	(void)state;
	assert_true(fd >= 0);
	assert_int_equal(ftruncate(fd, PAGE), 0);
	map = mmap(NULL, PAGE, PROT_READ, MAP_PRIVATE, fd, 0);
	unlink(name);
	seen.wanted = (uintptr_t)map;
	assert_int_equal(maps_walk_self(see, &seen), 0);
	snprintf(expected, sizeof(expected), "%s (deleted)", name);
	assert_string_equal(seen.path, expected);
	assert_true(seen.line.inode != 0);
	munmap(map, PAGE);
	close(fd);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_parse),
		cmocka_unit_test(test_malformed_lines),
		cmocka_unit_test(test_partial_reads_and_skipped_lines),
		cmocka_unit_test(test_overlong_line_is_cut_not_lost),
		cmocka_unit_test(test_stop),
		cmocka_unit_test(test_walk_error),
		cmocka_unit_test(test_self),
		cmocka_unit_test(test_deleted_file_keeps_its_mark),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
