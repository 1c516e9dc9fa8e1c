/*
 * 4 threads unmap and map again without pause, at addresses that each leaves to the others, write
 * into what they hold, and verify it. Bounded by operations.
 */
#include "check.h"

#include <pthread.h>

#define THREADS 4
#define ROUNDS 4000
#define HELD 8

static void write_pages(char *pages, size_t n, char value)
{
	for (size_t i = 0; i < n; i++) {
		CHECK_EQUAL(pages[i * CHECK_PAGE], 0);
		pages[i * CHECK_PAGE] = value;
		pages[i * CHECK_PAGE + 4095] = value;
	}
}

static void verify_pages(const char *pages, size_t n, char value)
{
	for (size_t i = 0; i < n; i++) {
		CHECK_EQUAL(pages[i * CHECK_PAGE], value);
		CHECK_EQUAL(pages[i * CHECK_PAGE + 4095], value);
	}
}

static char *map_fresh(size_t n)
{
	char *pages = mmap(NULL, n * CHECK_PAGE, PROT_READ | PROT_WRITE,
			   MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	CHECK(pages != MAP_FAILED);
	return pages;
}

static void *run(void *argument)
{
	unsigned seed = (unsigned)(uintptr_t)argument;
	char *held[HELD] = {0};
	size_t sizes[HELD] = {0};
	for (int round = 0; round < ROUNDS; round++) {
		unsigned slot = (unsigned)rand_r(&seed) % HELD;
		char value = (char)('A' + (slot + (uintptr_t)argument) % 26);
		if (held[slot]) {
			verify_pages(held[slot], sizes[slot], value);
			/* In two parts, the middle first: a split. */
			size_t middle = sizes[slot] / 2;
			CHECK_EQUAL(munmap(held[slot] + middle * CHECK_PAGE, CHECK_PAGE), 0);
			verify_pages(held[slot], middle, value);
			CHECK_EQUAL(munmap(held[slot], middle * CHECK_PAGE), 0);
			CHECK_EQUAL(munmap(held[slot] + (middle + 1) * CHECK_PAGE,
					   (sizes[slot] - middle - 1) * CHECK_PAGE),
				    0);
			held[slot] = NULL;
		} else {
			sizes[slot] = 4 + (size_t)rand_r(&seed) % 12;
			held[slot] = map_fresh(sizes[slot]);
			write_pages(held[slot], sizes[slot], value);
		}
	}
	return NULL;
}

int main(void)
{
	pthread_t threads[THREADS];
	for (uintptr_t i = 0; i < THREADS; i++)
		CHECK_EQUAL(pthread_create(&threads[i], NULL, run, (void *)(i + 1)), 0);
	for (int i = 0; i < THREADS; i++)
		pthread_join(threads[i], NULL);
	puts("churn: every byte in its place");
	return 0;
}
