/*
 * Address space that nobody writes: registered. Maps 1 TiB without reserve; prints microseconds of
 * the call, and by how many KiB the process's resident memory grew by it.
 */
#include <string.h>

#include "bench.h"

#define SIZE ((size_t)1 << 40)

static long resident(void)
{
	char line[256];
	long pages = 0, ignored;
	FILE *file = fopen("/proc/self/statm", "r");
	if (!file || !fgets(line, sizeof(line), file) ||
	    sscanf(line, "%ld %ld", &ignored, &pages) != 2)
		exit(2);
	fclose(file);
	return pages * (long)(PAGE / 1024);
}

int main(void)
{
	(void)resident(); /* stdio maps its buffer before */
	long before = resident();
	uint64_t began = bench_wall();
	void *memory = mmap(NULL, SIZE, PROT_READ | PROT_WRITE,
			    MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	uint64_t spent = bench_wall() - began;
	if (memory == MAP_FAILED)
		return 2;
	printf("%.1f %ld\n", (double)spent / 1e3, resident() - before);
	return 0;
}
