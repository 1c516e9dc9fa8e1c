/*
 * 30 forks while 3 threads write without pause: no side may lose a write, hang, or see the other
 * side's data. Judged by data; the lists are not predictable here.
 */
#include "check.h"

#include <pthread.h>
#include <stdatomic.h>

#define THREADS 3
#define PAGES 256
#define FORKS 30

static _Atomic bool stop;
static char *pages[THREADS];

static void write_counter(char *memory, uint64_t count)
{
	for (int i = 0; i < PAGES; i++)
		*(volatile uint64_t *)(memory + i * CHECK_PAGE + 64) = count;
}

static void *run(void *argument)
{
	char *memory = argument;
	for (uint64_t count = 1; !stop; count++) {
		write_counter(memory, count);
		/* Behind the last write, every page holds this count: a lost write shows. */
		for (int i = 0; i < PAGES; i++)
			CHECK_EQUAL(*(volatile uint64_t *)(memory + i * CHECK_PAGE + 64), count);
	}
	return NULL;
}

static int child(void)
{
	/* The writers do not exist here: what they left may change only by our own writes. */
	for (int t = 0; t < THREADS; t++) {
		uint64_t seen = *(uint64_t *)(pages[t] + 64);
		for (int i = 0; i < PAGES; i++) {
			uint64_t count = *(uint64_t *)(pages[t] + i * CHECK_PAGE + 64);
			CHECK(count == seen || count == seen - 1);
		}
		write_counter(pages[t], UINT64_MAX);
		for (int i = 0; i < PAGES; i++)
			CHECK(*(uint64_t *)(pages[t] + i * CHECK_PAGE + 64) == UINT64_MAX);
	}
	return 3;
}

int main(void)
{
	pthread_t threads[THREADS];
	for (int t = 0; t < THREADS; t++) {
		pages[t] = map_anonymous(PAGES);
		CHECK_EQUAL(pthread_create(&threads[t], NULL, run, pages[t]), 0);
	}
	for (int i = 0; i < FORKS; i++) {
		pid_t pid = fork();
		CHECK(pid >= 0);
		if (!pid)
			_exit(child());
		CHECK_EQUAL(wait_for(pid), 3);
	}
	stop = true;
	for (int t = 0; t < THREADS; t++)
		pthread_join(threads[t], NULL);
	puts("fork among writers: nothing lost");
	return 0;
}
