/*
 * Mapping and unmapping: map_rate HELD PAIRS. HELD mappings exist meanwhile, of which no two become
 * one. Each pair maps 16 pages and unmaps them. Prints CPU nanoseconds a pair.
 */
#include "bench.h"

#define SIZE (16 * PAGE)

/* Neighbours differ in protection, so the kernel keeps them apart. */
static void hold(size_t count)
{
	for (size_t i = 0; i < count; i++) {
		int protection = i % 2 ? PROT_READ : PROT_READ | PROT_WRITE;
		if (mmap(NULL, PAGE, protection, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0) == MAP_FAILED)
			exit(2);
	}
}

int main(int argc, char **argv)
{
	if (argc != 3) {
		fprintf(stderr, "map_rate HELD PAIRS\n");
		return 2;
	}
	size_t pairs = strtoul(argv[2], NULL, 10);
	hold(strtoul(argv[1], NULL, 10));
	uint64_t began = bench_cpu();
	for (size_t i = 0; i < pairs; i++) {
		char *memory = mmap(NULL, SIZE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS,
				    -1, 0);
		if (memory == MAP_FAILED || munmap(memory, SIZE))
			return 2;
	}
	printf("%.1f\n", (double)(bench_cpu() - began) / (double)pairs);
	return 0;
}
