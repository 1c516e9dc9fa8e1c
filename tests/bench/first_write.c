/*
 * First writes, 16 frames deep: first_write plain|bare ORDER PAGES [THREADS disjoint|interleaved]
 *
 * ORDER: sequential, random, or strided (every 16th page, then the ones behind them). plain writes
 * fresh anonymous pages; under the library that is the watched case. bare protects them and opens
 * each in a handler that does nothing else. With threads each writes its own part of the memory, or
 * every THREADSth page of all of it.
 *
 * Prints for a page: CPU nanoseconds of the first write, of a second one, and wall-clock
 * nanoseconds of the first.
 */
#include <pthread.h>
#include <string.h>

#include "bench.h"

#define WARM_UP 64
#define STRIDE 16
#define THREADS_MOST 64

static char *memory;
static uint32_t *order;
static size_t pages;
static unsigned threads = 1;
static int interleaved;
static pthread_barrier_t barrier;

static __attribute__((noinline)) void write_pages(size_t first, size_t end, size_t step)
{
	for (size_t i = first; i < end; i += step)
		((volatile char *)memory)[(size_t)order[i] * PAGE + 128] = 1;
}

static __attribute__((noinline)) size_t descend(unsigned depth, size_t first, size_t end,
						size_t step)
{
	if (depth)
		first = descend(depth - 1, first, end, step);
	else
		write_pages(first, end, step);
	__asm__ volatile("" : "+r"(first)); /* keeps this frame until the callee is back */
	return first;
}

static void write_share(unsigned thread)
{
	if (interleaved)
		descend(DEPTH, thread, pages, threads);
	else
		descend(DEPTH, pages * thread / threads, pages * (thread + 1) / threads, 1);
}

static void *write_twice(void *argument)
{
	unsigned thread = (unsigned)(uintptr_t)argument;
	for (int i = 0; i < 2; i++) {
		pthread_barrier_wait(&barrier);
		write_share(thread);
		pthread_barrier_wait(&barrier);
	}
	return NULL;
}

static void shuffle(void)
{
	uint64_t state = 88172645463325252u;
	for (size_t i = pages - 1; i; i--) {
		state ^= state << 13;
		state ^= state >> 7;
		state ^= state << 17;
		size_t j = state % (i + 1);
		uint32_t kept = order[i];
		order[i] = order[j];
		order[j] = kept;
	}
}

static void make_order(const char *name)
{
	size_t next = 0;
	order = malloc(pages * sizeof(*order));
	size_t step = strcmp(name, "strided") ? 1 : STRIDE;
	for (size_t first = 0; first < step; first++)
		for (size_t i = first; i < pages; i += step)
			order[next++] = (uint32_t)i;
	if (!strcmp(name, "random"))
		shuffle();
}

/* The other threads wait at the barrier meanwhile. */
static void measure(uint64_t *cpu, uint64_t *wall)
{
	uint64_t cpu_began = bench_cpu(), wall_began = bench_wall();
	if (threads == 1) {
		write_share(0);
	} else {
		pthread_barrier_wait(&barrier);
		pthread_barrier_wait(&barrier);
	}
	*cpu = bench_cpu() - cpu_began;
	*wall = bench_wall() - wall_began;
}

static void warm_up(int bare)
{
	size_t wanted = pages;
	pages = WARM_UP;
	memory = bench_map(pages * PAGE, bare);
	make_order("sequential");
	descend(DEPTH, 0, pages, 1);
	pages = wanted;
}

int main(int argc, char **argv)
{
	pthread_t ids[THREADS_MOST];
	uint64_t cpu[2], wall[2];
	if (argc != 4 && argc != 6) {
		fprintf(stderr, "first_write plain|bare sequential|random|strided PAGES "
				"[THREADS disjoint|interleaved]\n");
		return 2;
	}
	int bare = !strcmp(argv[1], "bare");
	pages = strtoul(argv[3], NULL, 10);
	if (argc == 6) {
		threads = (unsigned)strtoul(argv[4], NULL, 10);
		interleaved = !strcmp(argv[5], "interleaved");
	}
	if (!pages || !threads || threads > THREADS_MOST)
		return 2;
	if (bare)
		bench_handle();
	warm_up(bare);
	make_order(argv[2]);
	memory = bench_map(pages * PAGE, bare);
	pthread_barrier_init(&barrier, NULL, threads + 1);
	for (unsigned i = 0; threads > 1 && i < threads; i++)
		if (pthread_create(&ids[i], NULL, write_twice, (void *)(uintptr_t)i))
			return 2;
	for (int i = 0; i < 2; i++)
		measure(&cpu[i], &wall[i]);
	for (unsigned i = 0; threads > 1 && i < threads; i++)
		pthread_join(ids[i], NULL);
	printf("%.1f %.1f %.1f\n", (double)cpu[0] / (double)pages, (double)cpu[1] / (double)pages,
	       (double)wall[0] / (double)pages);
	return 0;
}
