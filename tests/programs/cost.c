/*
 * First writes of every second page of two mappings, the smaller one unmapped again, and a child
 * with some of its own. Prints how many VMAs the larger one was before that.
 */
/* run by: test_cost.sh */
#include "check.h"

#include <stdio.h>
#include <sys/wait.h>

#define LARGE ((size_t)1001) /* 500 first writes */
#define SMALL ((size_t)201)  /* 100 */
#define CHILD ((size_t)21)   /* 10 */

static char *map(size_t pages)
{
	char *start = mmap(NULL, pages * CHECK_PAGE, PROT_READ | PROT_WRITE,
			   MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	CHECK(start != MAP_FAILED);
	return start;
}

static void write_every_second(char *start, size_t pages)
{
	for (size_t i = 1; i < pages; i += 2)
		start[i * CHECK_PAGE] = 1;
}

static unsigned vmas_within(const char *start, size_t pages)
{
	unsigned long first, end, from = (unsigned long)start, to = from + pages * CHECK_PAGE;
	char line[512];
	unsigned count = 0;
	FILE *maps = fopen("/proc/self/maps", "re");
	CHECK(maps);
	while (fgets(line, sizeof(line), maps))
		count += sscanf(line, "%lx-%lx", &first, &end) == 2 && first < to && end > from;
	fclose(maps);
	return count;
}

int main(void)
{
	char *large = map(LARGE), *small = map(SMALL);
	write_every_second(large, LARGE);
	write_every_second(small, SMALL);
	CHECK(!munmap(small, SMALL * CHECK_PAGE));
	unsigned vmas = vmas_within(large, LARGE);
	pid_t child = fork();
	if (!child) {
		write_every_second(large, CHILD);
		return 0;
	}
	CHECK(waitpid(child, NULL, 0) == child);
	printf("%u\n", vmas);
	return 0;
}
