/*
 * The CPU time of first writes all over a large mapping: random_writes PAGES GIB [fork].
 *
 * Writes PAGES pages, in random order, of an untouched mapping of GIB GiB without swap reservation.
 * Prints nanoseconds for a first write on the whole, for the first tenth, and for the last one.
 * With `fork` a child does it, in memory that it shares with its parent.
 */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define PAGE 4096

static uint64_t cpu_now(void)
{
	struct timespec now;
	clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
	return (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec;
}

/* A permutation of 0 ... 2^bits - 1: every step of it can be inverted. */
static uint64_t scatter(uint64_t number, unsigned bits)
{
	uint64_t mask = ((uint64_t)1 << bits) - 1;
	for (int round = 0; round < 3; round++) {
		number = (number * 0x9e3779b97f4a7c15u + 0x7f4a7c15u) & mask;
		number ^= number >> (bits / 2);
	}
	return number;
}

static __attribute__((noinline)) uint64_t write_pages(volatile char *memory, unsigned bits,
						      uint64_t first, uint64_t end)
{
	uint64_t began = cpu_now();
	for (uint64_t i = first; i < end; i++)
		memory[scatter(i, bits) * PAGE + 128] = 1;
	return cpu_now() - began;
}

static void measure(char *memory, unsigned bits, uint64_t pages)
{
	uint64_t tenth = pages / 10;
	uint64_t early = write_pages(memory, bits, 0, tenth);
	uint64_t middle = write_pages(memory, bits, tenth, pages - tenth);
	uint64_t late = write_pages(memory, bits, pages - tenth, pages);
	printf("%.1f %.1f %.1f\n", (double)(early + middle + late) / (double)pages,
	       (double)early / (double)tenth, (double)late / (double)tenth);
	fflush(stdout);
}

int main(int argc, char **argv)
{
	uint64_t pages = argc > 2 ? strtoull(argv[1], NULL, 10) : 0;
	uint64_t bytes = argc > 2 ? strtoull(argv[2], NULL, 10) << 30 : 0;
	if (pages < 10 || pages * PAGE > bytes) {
		fprintf(stderr, "random_writes PAGES GIB [fork]\n");
		return 2;
	}
	unsigned bits = 63 - (unsigned)__builtin_clzll(bytes / PAGE);
	char *memory = mmap(NULL, bytes, PROT_READ | PROT_WRITE,
			    MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	if (memory == MAP_FAILED || madvise(memory, bytes, MADV_NOHUGEPAGE))
		return 2;
	if (argc > 3 && fork()) {
		int status;
		wait(&status);
		return !WIFEXITED(status) || WEXITSTATUS(status);
	}
	measure(memory, bits, pages);
	return 0;
}
