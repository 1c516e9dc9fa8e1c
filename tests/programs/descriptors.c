/*
 * File descriptors are the program's: numbers are given out as without the library, closing or
 * replacing any of them harms nobody, and no byte that the program did not write is in its pipes.
 */
#include "check.h"

#define PAGES 64

static char *pages;
static int next_page;

/* First writes, deeper each time: unwinding meets stack pages that it has not seen before. */
static void write_deep(int depth)
{
	volatile char frame[2 * CHECK_PAGE];
	frame[0] = 'd';
	if (depth)
		write_deep(depth - 1);
	else
		pages[next_page++ * CHECK_PAGE] = frame[0];
	frame[1] = frame[0];
}

static void write_some(void)
{
	for (int i = 0; i < 8; i++)
		write_deep(next_page);
}

static void expect_pipe_unharmed(int from, int to)
{
	char byte;
	CHECK_EQUAL(fcntl(from, F_SETFL, O_NONBLOCK), 0);
	CHECK(read(from, &byte, 1) == -1 && errno == EAGAIN);
	CHECK_EQUAL(write(to, "x", 1), 1);
	CHECK_EQUAL(read(from, &byte, 1), 1);
	CHECK_EQUAL(byte, 'x');
}

int main(void)
{
	pages = map_anonymous(PAGES);
	int first = open("/dev/null", O_RDWR);
	printf("descriptors: the first is %d, the next %d\n", first, dup(first));
	fflush(stdout);
	write_some();
	/* An end of a pipe that is not the program's would be one of these. */
	CHECK_EQUAL(dup2(0, first), first);
	write_some();

	/* As daemons do: everything closed, then the numbers used again. */
	CHECK_EQUAL(close_range(3, ~0u, 0), 0);
	write_some();
	int ends[2];
	CHECK_EQUAL(pipe(ends), 0);
	CHECK_EQUAL(ends[0], 3);
	CHECK_EQUAL(ends[1], 4);
	write_some();
	expect_pipe_unharmed(3, 4);

	/* Only one end replaced: a write to the other one would raise SIGPIPE. */
	CHECK_EQUAL(dup2(0, 3), 3);
	write_some();
	for (int fd = 3; fd < 64; fd++)
		CHECK_EQUAL(dup2(0, fd), fd);
	write_some();
	for (int fd = 3; fd < 64; fd++)
		CHECK_EQUAL(close(fd), 0);
	CHECK(close(3) == -1 && errno == EBADF);
	write_some();

	/* None left to take. */
	while (dup(0) >= 0)
		;
	CHECK_EQUAL(errno, EMFILE);
	write_some();
	CHECK_EQUAL(close_range(3, ~0u, 0), 0);
	for (int i = 0; i < next_page; i++)
		CHECK_EQUAL(pages[i * CHECK_PAGE], 'd');
	expect_stack("write_deep", "fill", (size_t)next_page);
	puts("descriptors: the program's own");
	return 0;
}
