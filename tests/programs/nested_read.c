/* A read into a protected page, and a signal handler that does the same. */
/* run by: test_nested_read.sh */
#include "check.h"

#define SIZE 4000

static int outer[2], inner[2];
static char *page, *handlers_page;

static void fill(int fd, char value)
{
	char bytes[SIZE];
	memset(bytes, value, sizeof(bytes));
	CHECK_EQUAL(write(fd, bytes, sizeof(bytes)), SIZE);
}

static void on_alarm(int signal)
{
	(void)signal;
	fill(inner[1], 'B');
	CHECK_EQUAL(madvise(handlers_page, CHECK_PAGE, MADV_DONTNEED), 0);
	CHECK_EQUAL(read(inner[0], handlers_page, SIZE), SIZE);
	CHECK_EQUAL(handlers_page[SIZE - 1], 'B');
}

int main(void)
{
	page = map_anonymous(1);
	handlers_page = map_anonymous(1);
	CHECK(signal(SIGALRM, on_alarm) != SIG_ERR);
	CHECK(!pipe(outer) && !pipe(inner));
	fill(outer[1], 'A');
	CHECK_EQUAL(read(outer[0], page, SIZE), SIZE);
	for (int i = 0; i < SIZE; i++)
		CHECK_EQUAL(page[i], 'A');
	puts("all bytes are its own");
	return 0;
}
