/*
 * A program that defines clock_gettime itself, as sanitizers and clocks for tests do: nothing of ours
 * calls it, least of all when it holds a lock.
 */
#include "check.h"

#include <time.h>

static volatile int calls;

int clock_gettime(clockid_t clock, struct timespec *time)
{
	static char *fresh;
	(void)clock;
	calls++;
	fresh = mmap(NULL, CHECK_PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	*fresh = 1;
	*time = (struct timespec){0};
	return 0;
}

int main(void)
{
	char *pages = map_anonymous(16);
	memset(pages, 1, 16 * CHECK_PAGE);
	snapshot();
	expect_pages(pages, "CCCCCCCCCCCCCCCC");
	int ends[2];
	char byte = 0;
	CHECK_EQUAL(pipe(ends), 0);
	pid_t child = fork();
	/* The parent writes first, or its pages would not be shared any more. */
	if (!child)
		CHECK_EQUAL(read(ends[0], &byte, 1), 1);
	memset(pages, 2, 16 * CHECK_PAGE);
	if (!child)
		_exit(calls);
	CHECK_EQUAL(write(ends[1], &byte, 1), 1);
	printf("calls of ours: %d, of the child's: %d\n", calls, wait_for(child));
	return 0;
}
