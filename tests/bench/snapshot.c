/*
 * A snapshot of a running program: snapshot PAGES. Half of the pages are written. Prints CPU
 * nanoseconds for each page of the memory; nothing when the library is not there.
 */
#include "bench.h"
#include "cowspy.h"

int main(int argc, char **argv)
{
	if (argc != 2) {
		fprintf(stderr, "snapshot PAGES\n");
		return 2;
	}
	size_t pages = strtoul(argv[1], NULL, 10);
	char *memory = bench_map(pages * PAGE, 0);
	for (size_t i = 0; i < pages / 2; i++)
		((volatile char *)memory)[i * PAGE] = 1;
	uint64_t began = bench_cpu();
	if (cowspy_snapshot(NULL))
		return 2;
	printf("%.1f\n", (double)(bench_cpu() - began) / (double)pages);
	return 0;
}
