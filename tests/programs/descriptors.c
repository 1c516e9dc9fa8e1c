/*
 * File descriptors are the program's: numbers are given out as without the library, closing or
 * replacing any of them harms nobody, and no byte that the program did not write is in its pipes.
 */
#include "check.h"

#define PAGES 64

static char *pages;
static int next_page;

/* First writes with their stacks: what the library then does, it does with its own descriptors. */
static void write_some(void)
{
	for (int i = 0; i < 8; i++)
		pages[next_page++ * CHECK_PAGE] = 'd';
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
	for (int fd = 3; fd < 20; fd++)
		close(fd); /* what the caller left open */
	CHECK_EQUAL(open("/dev/null", O_RDWR), 3);
	CHECK_EQUAL(dup(3), 4);
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
	expect_stack("write_some", "fill", (size_t)next_page);
	puts("descriptors: the program's own");
	return 0;
}
