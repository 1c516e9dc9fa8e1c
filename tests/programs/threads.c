/*
 * 8 threads write interleaved pages of one mapping; and all of them every page at once. 200 rounds,
 * each on a mapping of its own that stays: one event a page, none lost.
 */
#include "check.h"

#include <pthread.h>

#define THREADS 8
#define ROUNDS 200
#define PAGES 64

static char *mappings[ROUNDS];
static pthread_barrier_t barrier;

static void write_interleaved(char *pages, int thread)
{
	for (int i = thread; i < PAGES / 2; i += THREADS)
		pages[i * CHECK_PAGE + thread] = 'i';
}

static void write_racing(char *pages, int thread)
{
	for (int i = PAGES / 2; i < PAGES; i++)
		pages[i * CHECK_PAGE + thread] = 'r';
}

static void *run(void *argument)
{
	int thread = (int)(intptr_t)argument;
	for (int round = 0; round < ROUNDS; round++) {
		pthread_barrier_wait(&barrier);
		write_interleaved(mappings[round], thread);
		write_racing(mappings[round], thread);
	}
	return NULL;
}

int main(void)
{
	pthread_t threads[THREADS];
	pthread_barrier_init(&barrier, NULL, THREADS);
	for (int round = 0; round < ROUNDS; round++)
		mappings[round] = map_anonymous(PAGES);
	for (intptr_t i = 0; i < THREADS; i++)
		CHECK_EQUAL(pthread_create(&threads[i], NULL, run, (void *)i), 0);
	for (int i = 0; i < THREADS; i++)
		pthread_join(threads[i], NULL);

	for (int round = 0; round < ROUNDS; round++) {
		for (int i = 0; i < PAGES / 2; i++)
			CHECK_EQUAL(mappings[round][i * CHECK_PAGE + i % THREADS], 'i');
		for (int i = PAGES / 2; i < PAGES; i++)
			for (int thread = 0; thread < THREADS; thread++)
				CHECK_EQUAL(mappings[round][i * CHECK_PAGE + thread], 'r');
		expect_count(mappings[round], PAGES, 'C', PAGES);
	}
	expect_stack("write_interleaved", "fill", ROUNDS * PAGES / 2);
	expect_stack("write_racing", "fill", ROUNDS * PAGES / 2);
	puts("threads: one event a page");
	return 0;
}
