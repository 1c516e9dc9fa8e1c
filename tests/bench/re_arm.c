/*
 * Pages given back and written again: re_arm plain|bare PAGES ROUNDS. Prints CPU nanoseconds for
 * each page and round: the call that gives back, what closes the page again, and its first write.
 */
#include <string.h>

#include "bench.h"

static void give_back(char *memory, size_t size, int bare)
{
	if (madvise(memory, size, MADV_DONTNEED) || (bare && mprotect(memory, size, PROT_READ)))
		exit(2);
}

int main(int argc, char **argv)
{
	if (argc != 4) {
		fprintf(stderr, "re_arm plain|bare PAGES ROUNDS\n");
		return 2;
	}
	int bare = !strcmp(argv[1], "bare");
	size_t pages = strtoul(argv[2], NULL, 10), rounds = strtoul(argv[3], NULL, 10);
	if (bare)
		bench_handle();
	char *memory = bench_map(pages * PAGE, bare);
	for (size_t i = 0; i < pages; i++)
		((volatile char *)memory)[i * PAGE] = 1;
	uint64_t began = bench_cpu();
	for (size_t round = 0; round < rounds; round++) {
		give_back(memory, pages * PAGE, bare);
		for (size_t i = 0; i < pages; i++)
			((volatile char *)memory)[i * PAGE] = 1;
	}
	printf("%.1f\n", (double)(bench_cpu() - began) / (double)(pages * rounds));
	return 0;
}
